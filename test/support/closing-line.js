// Ends a jest run with one plain line that people and CI can both read. jest puts its own summary
// behind every other reporter, so the line waits for the end of the process.
export default class ClosingLine {
  onRunComplete(_contexts, results) {
    const skipped = results.numPendingTests + results.numTodoTests
    // A suite that cannot be loaded counts as one failure: its tests never had the chance.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites
    process.once('exit', () => {
      process.stdout.write(
        `\n${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`,
      )
    })
  }
}

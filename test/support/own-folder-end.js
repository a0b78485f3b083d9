// The end of own-folder.js.
export default function tearDown() {
  globalThis.takeDownFolder()
}

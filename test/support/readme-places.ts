// What README.md has to run, in order: test/unit/readme.test.ts compares the two, test/integration/readme.test.ts runs
// each. A command that is added there is added here, and gets its check.

/** Its shell blocks, each under its heading. */
export const BLOCKS = [
  ['Outrigger', 'run'],
  ['Outrigger', 'the package'],
  ['Try it', 'npm start'],
  ['Try it', 'npm test'],
  ['In a cluster', 'the images, and the manifests'],
  ['In a cluster', 'the chart'],
  ['In a cluster', 'an example, and a call'],
  ['In a cluster', 'a first message'],
  ['In a cluster', 'an annotation on what runs already'],
] as const

/** The beginnings of the commands in its table; the longest that fits is meant. */
export const ROWS = [
  'npx outrigger run',
  'npx outrigger inject',
  'npx outrigger inject --report',
  'npx outrigger check',
  'npx outrigger scan',
  'npx outrigger status',
  'npx outrigger doctor',
  'npx outrigger certs inspect',
  'npx outrigger images add',
  'npx outrigger images list',
  'npx outrigger explain',
  'npx outrigger dev',
  'npx outrigger policy test',
  'npx outrigger tools lock',
  'npx outrigger audit verify',
  'npx outrigger completion',
  'npm run conformance',
  'npm run bench -- bridge',
  'npm run bench -- auth',
  'npm run bench -- telemetry',
  'npm run bench -- whole',
  'npm run bench -- pressure',
  'npm run bench -- admission',
  'npm run soak',
  'npm run cluster -- up',
  'npm run test:corpus',
  'npm run test:cluster',
  'npm run check',
] as const

export type BlockName = (typeof BLOCKS)[number][1]
export type RowName = (typeof ROWS)[number]

/** Which of the rows a command is. */
export const rowOf = (command: string): RowName | undefined =>
  ROWS.filter((name) => command.startsWith(name)).reduce<RowName | undefined>(
    (longest, name) => (longest !== undefined && longest.length > name.length ? longest : name),
    undefined,
  )

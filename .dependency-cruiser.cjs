/**
 * Who may import whom. Imports point one way:
 *   apps, tools -> libs;  client rests on nothing;  catalog -> outbox, tasks, rollout, imaging, storage -> runtime;  testkit -> embedded -> runtime.
 * A lib's door is src/index.ts; everybody else names it `@omnizap/<lib>`.
 */
const tests = '\\.test\\.ts$|^(apps|libs|deploy)/[^/]+/test/|^runbooks/test/';
const lowerLibs = 'outbox|tasks|rollout|imaging|storage';

/** A package by its name, wherever npm put it. */
const npmPackage = (name) => `(^|/)node_modules/${name}(/|$)`;

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle means that two modules are one. Types count: they move together as well.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'apps-are-leaves',
      comment: 'An app is one OS process: nobody imports it, other apps included. Start it instead.',
      severity: 'error',
      from: { path: '^(apps/([^/]+)|libs|tools|db|deploy|observability|runbooks)/' },
      to: { path: '^apps/', pathNot: '^apps/$2/' },
    },
    {
      name: 'tools-are-leaves',
      comment: 'Commands stand on top of the libs; what both need belongs into a lib.',
      severity: 'error',
      from: { path: '^(apps|libs|db|deploy|observability|runbooks)/' },
      to: { path: '^tools/' },
    },
    {
      name: 'libs-by-their-name',
      comment: 'Another lib is imported as @omnizap/<lib>, never by a relative path.',
      severity: 'error',
      from: { path: '^(?:libs/([^/]+)|apps|tools|db|deploy|observability|runbooks)/' },
      to: { path: '^libs/', pathNot: '^libs/$1/', dependencyTypesNot: ['aliased-workspace'] },
    },
    {
      name: 'libs-by-their-door',
      comment: 'What src/index.ts does not export is private to the lib.',
      severity: 'error',
      from: { path: '^(?:libs/([^/]+)|apps|tools|db|deploy|observability|runbooks)/' },
      to: { path: '^libs/', pathNot: '^libs/($1/|[^/]+/src/index\\.ts$)' },
    },
    {
      name: 'runtime-stands-alone',
      comment: 'Everything rests on runtime, so it rests on nothing of ours.',
      severity: 'error',
      from: { path: '^libs/runtime/', pathNot: tests },
      to: { path: '^libs/', pathNot: '^libs/runtime/' },
    },
    {
      name: 'client-stands-alone',
      comment: 'It speaks HTTP and runs in browsers too: nothing of ours, of npm or of Node is below it.',
      severity: 'error',
      from: { path: '^libs/client/', pathNot: tests },
      to: { pathNot: '^libs/client/' },
    },
    {
      name: 'lower-libs-know-runtime-only',
      comment: `${lowerLibs} and embedded do not know each other: an app composes them.`,
      severity: 'error',
      from: { path: `^libs/(${lowerLibs}|embedded)/`, pathNot: tests },
      to: { path: '^libs/', pathNot: '^libs/($1|runtime)/' },
    },
    {
      name: 'testkit-rests-on-embedded',
      comment: 'It starts the servers that tests need, and knows nothing of what they test.',
      severity: 'error',
      from: { path: '^libs/testkit/', pathNot: tests },
      to: { path: '^libs/', pathNot: '^libs/(testkit|embedded|runtime)/' },
    },
    {
      name: 'catalog-and-delivery-rest-on-lower-libs',
      comment: 'The domain knows the machinery, never the other way round, and never the test kit.',
      severity: 'error',
      from: { path: '^libs/(catalog|delivery)/', pathNot: tests },
      to: { path: '^libs/', pathNot: `^libs/($1|${lowerLibs}|runtime)/` },
    },
    {
      name: 'tests-look-down-too',
      comment: 'A test of a lower lib that needs the domain is a test of an app: move it there.',
      severity: 'error',
      from: { path: `^libs/(runtime|${lowerLibs}|embedded|testkit)/.*\\.test\\.ts$` },
      to: { path: '^libs/(catalog|delivery)/' },
    },
    {
      name: 'testkit-in-tests-and-tools-only',
      comment: 'It kills processes and drops databases.',
      severity: 'error',
      from: { path: '^(apps|libs|db|deploy|observability)/', pathNot: `^libs/testkit/|${tests}` },
      to: { path: '^libs/testkit/' },
    },
    {
      name: 'pg-boss-in-tasks-only',
      comment: 'The task engine stays exchangeable. Tests are no exception: they use what libs/tasks offers.',
      severity: 'error',
      from: { pathNot: '^libs/tasks/' },
      to: { path: npmPackage('pg-boss') },
    },
    {
      name: 'sharp-in-imaging-only',
      comment:
        'One owner of decoder limits and memory. Tests make pictures with it, the seed draws the demo, the bench compares with it, chaos uploads its own, `pictures` takes screenshots, and those of the pages are drawn by a program of their own.',
      severity: 'error',
      from: { pathNot: `^libs/imaging/|^apps/console/draw-art|^tools/(seed|bench|chaos|pictures)|${tests}` },
      to: { path: npmPackage('sharp') },
    },
    {
      name: 'knex-in-stores-only',
      comment:
        'SQL lives in store files, libs/*/src/sql/ and migrations. Database tests look at the tables themselves.',
      severity: 'error',
      from: {
        pathNot: [
          '^libs/(runtime|testkit)/',
          '^libs/[^/]+/src.*[/-]store[^/]*\\.ts$',
          '^libs/[^/]+/src/sql/',
          '^db/(migrations|seeds)/',
          tests,
        ],
      },
      to: { path: npmPackage('knex') },
    },
    {
      name: 'pm2-never',
      comment: 'AGPL, and an external program: its profiles in deploy/pm2 are data for it.',
      severity: 'error',
      from: {},
      to: { path: `^pm2(/|$)|${npmPackage('pm2')}` },
    },
    {
      name: 'only-listed-packages',
      comment: 'A package that package.json does not list is there by accident and goes with the next install.',
      severity: 'error',
      from: {},
      to: {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown'],
        // Comes with jest, at the version that jest itself pins.
        pathNot: npmPackage('@jest/globals'),
      },
    },
    {
      name: 'no-dev-packages-in-the-product',
      comment: 'Installed without devDependencies the product must run. A type is gone by then.',
      severity: 'error',
      from: { path: '^(apps|libs|db)/', pathNot: `^libs/testkit/|${tests}` },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: npmPackage('@types') },
    },
    {
      name: 'everything-resolves',
      comment: 'A misspelt or removed file, or a lib imported past its door.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Types are imports too: they couple just as much.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    // The libs have no dependency lists of their own: the root's counts for them.
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.d.ts', '.json'],
    },
  },
};

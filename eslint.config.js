/**
 * The rules that a formatter and the compiler cannot keep. Each rule that is switched off or changed says why.
 * `no-restricted-syntax` and `no-restricted-imports` do not merge between blocks: the lists are composed here.
 */
import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const testFiles = ['**/*.test.ts', '{apps,deploy}/*/test/**/*.ts', 'runbooks/test/**/*.ts'];

const syntaxEverywhere = [
  {
    selector: 'ClassDeclaration:not([superClass.name=/Error$/]), ClassExpression:not([superClass.name=/Error$/])',
    message: 'Classes are for errors: export a createX(deps, options) that returns functions.',
  },
];

const syntaxInTests = [
  {
    selector:
      'MemberExpression[property.name=/^(only|skip|todo|failing)$/]:matches([object.name=/^(it|test|describe)$/], [object.object.name=/^(it|test|describe)$/])',
    message: 'No focused, skipped or planned tests: run it, or delete it.',
  },
  {
    selector: 'CallExpression[callee.name=/^(fit|fdescribe|xit|xtest|xdescribe)$/]',
    message: 'No focused or skipped tests: run it, or delete it.',
  },
  {
    selector: 'AwaitExpression > NewExpression[callee.name="Promise"] CallExpression[callee.name="setTimeout"]',
    message: 'No sleeps in tests: wait for a condition (waitFor of @omnizap/testkit).',
  },
];

const environmentImport = {
  name: 'node:process',
  importNames: ['env'],
  message: 'Only @omnizap/runtime reads the environment.',
};

const sleepImport = {
  name: 'node:timers/promises',
  message: 'No sleeps in tests: wait for a condition (waitFor of @omnizap/testkit).',
};

const importsEverywhere = {
  patterns: [
    { regex: '^@omnizap/[^/]+/', message: 'A lib has one door: import from @omnizap/<lib>.' },
    { regex: '^(?:\\.\\./)+libs/', message: 'Import libs as @omnizap/<lib>, never by a path.' },
  ],
};

/** Names that exist at run time, separated by spaces. */
const readonly = (names) => Object.fromEntries(names.split(' ').map((name) => [name, 'readonly']));

export default defineConfig(
  { ignores: ['node_modules/', 'data/', 'archives/', '.cache/', 'coverage/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-definitions': ['error', 'type'],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      // `||` stays allowed where an empty string or false is to become the default too.
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { boolean: true, string: true } }],
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      // A `default` counts as an answer for every member: it is where a value from outside is refused.
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // `_` marks a parameter that has to be there because of the one after it.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'all' }],
      // Numbers print the same everywhere; objects, null and undefined stay forbidden.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // Off: createX returns closures, which may be taken out of their object; nothing of ours uses `this`.
      '@typescript-eslint/unbound-method': 'off',
      // Off: a function may be async because its port's type is, or so that it rejects instead of throwing.
      '@typescript-eslint/require-await': 'off',
      // Off (as in the recommended set): the compiler narrows `let isStopping` across awaits, so every loop that asks
      // again after an await would be reported, and those are the questions that a clean stop depends on.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      eqeqeq: ['error', 'always'],
      'max-lines': ['error', { max: 400, skipBlankLines: false, skipComments: false }],
      // A default export has no name of its own: the file's name and the export's name must stay one word.
      'no-restricted-exports': [
        'error',
        {
          restrictDefaultExports: {
            direct: true,
            named: true,
            defaultFrom: true,
            namedFrom: true,
            namespaceFrom: true,
          },
        },
      ],
      'no-restricted-syntax': ['error', ...syntaxEverywhere],
    },
  },
  {
    files: ['libs/**/*.ts', 'apps/**/*.ts'],
    rules: {
      // The log is structured and goes through one logger, where secrets are taken out.
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Only @omnizap/runtime reads the environment: pass the value in.',
        },
      ],
      'no-restricted-imports': ['error', { ...importsEverywhere, paths: [environmentImport] }],
    },
  },
  {
    // Commands read their own switches and hand an environment to the processes that they start.
    files: ['tools/**/*.ts', 'db/**/*.ts', 'observability/**/*.ts', 'deploy/**/*.ts', 'runbooks/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', importsEverywhere] },
  },
  {
    // The one reader of the environment.
    files: ['libs/runtime/src/**/*.ts'],
    rules: {
      'no-restricted-properties': 'off',
      'no-restricted-imports': ['error', importsEverywhere],
    },
  },
  {
    // They hand an environment to the processes they start and learn their databases' addresses from it.
    files: [...testFiles, 'libs/testkit/**/*.ts'],
    rules: { 'no-restricted-properties': 'off', 'no-restricted-imports': ['error', importsEverywhere] },
  },
  {
    // Jest asks for a default export, and the project for types.
    files: ['tools/test-order/longest-first.ts'],
    rules: { 'no-restricted-exports': 'off' },
  },
  {
    // Generated: as long as the API is wide.
    files: ['libs/*/src/generated/**'],
    rules: { 'max-lines': 'off' },
  },
  {
    files: testFiles,
    rules: {
      // A table of cases is read from top to bottom once; splitting it would hide the missing case.
      'max-lines': 'off',
      'no-restricted-syntax': ['error', ...syntaxEverywhere, ...syntaxInTests],
      'no-restricted-imports': ['error', { ...importsEverywhere, paths: [sleepImport] }],
    },
  },
  {
    // Plain JavaScript: configuration files (their tools ask for a default export) and the boot file for older Nodes.
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: readonly('console process Buffer URL AbortController setTimeout clearTimeout setInterval clearInterval'),
    },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { ...readonly('require __dirname __filename'), module: 'writable' },
    },
  },
  {
    // Scripts that pages load as they are.
    files: ['apps/*/{public,assets,pages,web}/**/*.js', 'apps/console/**/*.js'],
    languageOptions: {
      globals: readonly(
        'window document location history navigator localStorage sessionStorage fetch Request Response Headers FormData File Blob ' +
          'URLSearchParams IntersectionObserver MutationObserver ResizeObserver CustomEvent Event HTMLElement customElements ' +
          'DOMParser EventSource Image crypto performance matchMedia requestAnimationFrame cancelAnimationFrame queueMicrotask',
      ),
    },
  },
);

/** The commands that mend. Everything in them is there: scripts of package.json, profiles of deploy/pm2, our own CLI. */

const scripts: Record<string, string> = {
  api: 'api',
  relay: 'relay',
  maintenance: 'maintenance',
  'worker-classification': 'worker:sticker:classification',
  'worker-curation': 'worker:sticker:curation',
  'worker-rebuild': 'worker:sticker:rebuild',
};

const profiles = {
  stable: 'deploy/pm2/ecosystem.prod.config.cjs',
  canary: 'deploy/pm2/ecosystem.canary.config.cjs',
};

type Release = keyof typeof profiles;

export type Mending = ReturnType<typeof createMending>;

/** `isUnderStart`: the fleet is that of a running `npm start`, so pm2 has no part in it. */
export function createMending({ isUnderStart, catalogueUrl }: { isUnderStart: boolean; catalogueUrl: string | null }) {
  const pm2Name = (process: string, release: Release): string => (release === 'canary' ? `${process}-canary` : process);
  const reload = 'npm run pm2 -- reload deploy/pm2/ecosystem.prod.config.cjs';
  return {
    start: (process: string, release: Release = 'stable'): string =>
      isUnderStart
        ? `npm run ${scripts[process] ?? 'start'}`
        : `npm run pm2 -- start ${profiles[release]} --only ${pm2Name(process, release)}`,
    restart: (process: string, release: Release): string =>
      isUnderStart ? 'npm start' : `npm run pm2 -- restart ${pm2Name(process, release)}`,
    logs: (process: string, release: Release): string =>
      isUnderStart ? 'npm start' : `npm run pm2 -- logs ${pm2Name(process, release)} --lines 50 --nostream`,
    reload: (): string => (isUnderStart ? 'npm start' : reload),
    /** Sets a variable in this shell and gives it to the processes. */
    set: (variable: string, value: string): string =>
      `export ${variable}=${value} && ${isUnderStart ? 'npm start' : reload}`,
    /** Asks for the password: none is in it. */
    sql(statement: string): string {
      const { protocol, username, hostname, port, pathname } = new URL(catalogueUrl ?? 'postgres://NAME@HOST/DATABASE');
      const name = decodeURIComponent(username);
      const database = decodeURIComponent(pathname.slice(1));
      const [program, portOption, userOption, databaseOption, statementOption] =
        protocol === 'mysql:' ? ['mariadb', '-P', '-u', '-p', '-e'] : ['psql', '-p', '-U', '-d', '-c'];
      return [
        ...[program, '-h', quoted(hostname), ...(port === '' ? [] : [portOption, port])],
        ...[userOption, quoted(name), databaseOption, quoted(database), statementOption, quoted(statement)],
      ].join(' ');
    },
    flagOff: (flag: string, reason: string): string =>
      `npm run ops -- flags set ${flag} --off --percent 0 --reason "${reason}"`,
  };
}

/** For a shell, whatever is in it. */
export function quoted(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

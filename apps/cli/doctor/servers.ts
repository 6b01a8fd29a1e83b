/** The database servers: reachable, of a version that we support, with room for us, and with the rights that processes need. */
import { databaseErrorCode, databaseKindOf, type ServerFacts } from '@omnizap/runtime';
import { fail, ok, warn, type Finding } from './finding.ts';
import { quoted, type Mending } from './mending.ts';

export type ServerName = 'catalogue' | 'queue';

/** `title`: one server may be both. */
export type Server = { title: string; variable: 'DATABASE_URL' | 'QUEUE_DATABASE_URL'; url: string };

const oldest: Record<Exclude<ServerFacts['product'], 'other'>, { major: number; minor: number }> = {
  PostgreSQL: { major: 14, minor: 0 },
  MariaDB: { major: 10, minor: 6 },
  MySQL: { major: 8, minor: 0 },
};

/** A process opens up to seven connections at once; a deployment starts processes beside the old ones. */
const lowConnections = 12;
const lastConnections = 3;
const lowShare = 0.15;

const refusedAccount = new Set([
  '28P01',
  '28000',
  'ER_ACCESS_DENIED_ERROR',
  'ER_ACCESS_DENIED_NO_PASSWORD_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
]);
const noDatabase = new Set(['3D000', 'ER_BAD_DB_ERROR']);
const noConnection = new Set(['53300', 'ER_CON_COUNT_ERROR', 'ER_TOO_MANY_USER_CONNECTIONS']);

/** The address without name and password. */
function addressOf(url: string): string {
  const { hostname, port, pathname, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === 'mysql:' ? '3306' : '5432')}${decodeURIComponent(pathname)}`;
}

export function judgeUnreachable(server: Server, error: unknown, mending: Mending, isLentByFleet: boolean): Finding {
  const { variable, url } = server;
  const { hostname, port, pathname, protocol, username } = new URL(url);
  const what = `The ${server.title} database at ${addressOf(url)}`;
  const code = databaseErrorCode(error) ?? '';
  const address = `${protocol}//NAME:PASSWORD@${hostname}${port && `:${port}`}${pathname}`;
  if (refusedAccount.has(code))
    return fail(
      `${what} refuses the account "${decodeURIComponent(username)}": its name or password in ${variable} is wrong, or it has no right to connect.`,
      `export ${variable}='${address}'`,
    );
  if (noDatabase.has(code))
    return fail(
      `${what} does not exist on that server: the name in ${variable} is wrong.`,
      `export ${variable}='${address}'`,
    );
  if (noConnection.has(code))
    return fail(`${what} has no connection left for us (${code}).`, mending.set('DATABASE_POOL_MAX', '2'));
  const reason = code || messageOf(error, url);
  if (isLentByFleet) return fail(`${what} does not answer (${reason}); it is that of "npm start".`, 'npm start');
  const service = databaseKindOf(url) === 'mysql' ? 'mariadb' : 'postgresql';
  const isHere = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
  return fail(
    `${what} does not answer (${reason}): is its server running, and does ${variable} say where?`,
    `${isHere ? '' : `ssh ${hostname} `}sudo systemctl restart ${service}`,
  );
}

export function judgeServer(
  { title, variable, url }: Server,
  facts: ServerFacts & { denied: string[]; schemas: string[] },
  mending: Mending,
): Finding[] {
  const { product, versionText, connections, isReadOnly, denied, schemas } = facts;
  const findings: Finding[] = [];
  const least = product === 'other' ? null : oldest[product];
  const isOld =
    least !== null && (facts.major < least.major || (facts.major === least.major && facts.minor < least.minor));
  if (least !== null && isOld)
    findings.push(
      fail(
        `The ${title} database is ${versionText}; this product needs ${product} ${least.major}.${least.minor} or newer.`,
        `sudo apt-get install ${product === 'PostgreSQL' ? 'postgresql' : 'mariadb-server'}`,
      ),
    );
  if (least === null)
    findings.push(warn(`The ${title} database is ${versionText}, which nobody has tried this release on.`, 'npm test'));
  if (isReadOnly)
    findings.push(
      fail(
        `The ${title} database can only be read: it is a replica, or was switched to reading only.`,
        `export ${variable}=ADDRESS_OF_THE_PRIMARY`,
      ),
    );
  if (denied.length > 0)
    findings.push(
      fail(
        `Our account may not read and change ${denied.length} tables of the ${title} database: ${denied.slice(0, 3).join(', ')}${denied.length > 3 ? ', ...' : ''}.`,
        grantOf(url, product, schemas),
      ),
    );
  const left = connections.max - connections.used;
  const room = `The ${title} database has ${left} of ${connections.max} connections left`;
  if (left <= lastConnections)
    findings.push(fail(`${room}: processes cannot start.`, mending.set('DATABASE_POOL_MAX', '2')));
  else if (left < lowConnections || left < connections.max * lowShare)
    findings.push(warn(`${room}: a deployment needs more.`, mending.set('DATABASE_POOL_MAX', '2')));
  if (findings.length > 0) return findings;
  return [ok(`The ${title} database is ${versionText}, with ${left} of ${connections.max} connections left.`)];
}

function grantOf(url: string, product: ServerFacts['product'], schemas: string[]): string {
  const { username, pathname } = new URL(url);
  const [name, database] = [decodeURIComponent(username), decodeURIComponent(pathname.slice(1))];
  if (product === 'MariaDB' || product === 'MySQL')
    return `sudo mariadb -e ${quoted(`GRANT ALL ON \`${database}\`.* TO '${name}'@'%'`)}`;
  const statement = `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schemas.join(', ')} TO "${name}"`;
  return `sudo -u postgres psql ${quoted(database)} -c ${quoted(statement)}`;
}

/** The driver's own words, without the password should they hold it. */
function messageOf(error: unknown, url: string): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
  const { password } = new URL(url);
  return [password, decodeURIComponent(password)].reduce(
    (text, secret) => (secret === '' ? text : text.replaceAll(secret, '***')),
    line,
  );
}

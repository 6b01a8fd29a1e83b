/** A process for the tests of the driver: says what it was given, and stops as the fleet's processes do. */
const { OMNIZAP_ECHO = '', DATABASE_URL = 'none' } = process.env;
process.stdout.write(`arguments ${process.argv.slice(2).join(' ')}, echo ${OMNIZAP_ECHO}, database ${DATABASE_URL}\n`);
if (OMNIZAP_ECHO === 'fail') process.exit(3);
const alive = setInterval(() => undefined, 60_000);
const stop = (): void => {
  clearInterval(alive);
  process.stdout.write('stopped\n');
  process.exit(0);
};
process.on('SIGTERM', stop);
process.on('disconnect', stop);
process.send?.({ type: 'ready', name: 'echo', url: 'http://127.0.0.1:1' });

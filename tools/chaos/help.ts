/** The tool's help: also where the words of its findings are defined. */
import { allFaults } from './faults/all-faults.ts';

export function printFaults(): string {
  return allFaults.map(({ name, summary }) => `  ${name.padEnd(20)}${summary}`).join('\n');
}

export function printHelp(): string {
  return `usage: npm run chaos -- [options]

Starts private database servers and a private fleet of real processes, asks it things over HTTP, breaks it in ways drawn from
a seed, waits until it has come to rest, and checks what clients were told against what the tables say. Nothing of it touches
a running fleet or its data; everything that it starts ends with it.

  --seed N                  decides the load, the faults and all choices (default: a new one, printed)
  --runs N                  that many runs, with the seeds N, N+1, ... (default 1)
  --database NAME           postgres, or mariadb: the catalogue in MariaDB and the queues in PostgreSQL (default postgres)
  --faults A,B|all|none     what may happen (default all)
  --duration SECONDS        of the load; faults that last longer extend it (default 20)
  --rate N                  requests per second, whether or not earlier ones were answered (default 20)
  --storage-mode MODE       proxy, or redirect: clients are sent to the bucket (default proxy); of object-storage
  --flips N                 flips of each flag-flip (default: drawn, 5 to 10)
  --json                    one JSON object on stdout; progress goes to stderr
  --keep                    keep the folder of every run, not only of those with a violation
  --list-faults             the faults that there are
  --help                    this

Exit code: 0 nothing found, 1 a violation, 2 it could not run or was called wrongly.

A run's folder holds history.jsonl (every request with its answer, every fault, every start and end of a process, and how each
task of a killed or frozen worker came into other hands), the logs of all processes and, after a violation, the tables as the
checker saw them. A violated run prints the command that repeats it: the same requests and the same faults at the same times. What
the processes make of that also depends on the machine, so a rare interleaving may take several tries.

What is checked

  A client's request ends in one of three ways. ok: it was told that it happened. refused: it was told that it did not (4xx), or
  it could not connect. unknown: it was told nothing to rely on (5xx, time out, connection lost), so either is right, but not half.

  lost         What a client was told is missing: an acknowledged pack, sticker, publication, deletion or vote is not in the
               tables, or came without its event; a sticker that is fine never became ready; a score or a list does not show the
               last change, and no dead letter says why.
  unexpected   Something is there that nobody asked for, or that was refused: a pack, a sticker, a vote, an event, a pack in a
               list that must not be there.
  doubled      One request had its effect twice, or one version of something derived was written twice, or a counter is higher
               than its log; a finished event began anew; one failure is two dead letters. Seen by triggers that keep every
               committed effect, so that effects which cancel each other out are found as well.
  inversion    Of two events of one aggregate the later one was finished first.
  stale write  Something derived went back from a newer version of its subject to an older one.
  orphan       Work that nobody does and nobody will: a task that is active, an event that is processing, a lease that is held
               by a dead process, after all should be at rest.
  not quiet    Two minutes after the last fault there was still work waiting. The finding lists what.
  dead letter  Something failed for good that nothing done to it explains.
  bad end      A process ended by itself, or was asked to stop and did not end with code 0 within 15 s.

  no owner     A task that nobody would have worked: for more than 20 s nothing was taken from the queue in which it waited, or it
               stayed with a dead process. Times in which a database or a network failed, a process was frozen or a maintenance
               process ended do not count, nor those without a processor.
  wrong lane   A canary worked more than its share, or a dedicated worker while its flag was off, and could have known it.
  stale flag   A process did not hear of a flip within 15 s.
  failed reload  A request failed while a process of the API was replaced and nothing else was wrong.
  failed asset  A sticker's bytes did not come, or not the right ones, while nothing but the bucket was wrong. In mode redirect,
               where a client was sent to the bucket less than 5 s after it died, or before, that is the price and no finding.
  late redirect  More than 5 s after the death of the bucket clients were still sent there (2 s between two looks at the bucket, 1 s
               for a look, 2 s for the machine).
  slow asset   p99 of the API's answers with bytes was above 3 s. The target is 750 ms; what is between is printed as missed.
  stuck breaker  A process of the API went on with a dead bucket, or did not use a live one again within 5 s.
  wrong object  After the rest the bucket lacks what the catalogue wants there, has other bytes of it, or has what nobody wants.

  without a processor  Seconds in which a process of the API, the relay or maintenance waited most of the time for one. On an
               overloaded machine promises in seconds are not judged.
  flip to effect  From when a flip was sent to the database until a process went by it, for each process that lived then.
  take-over    From when all workers of a lane were dead until each task that waited for them was claimed in another lane.
  rescue       From the moment when a worker was killed or frozen until a task that it had in hand was started by another one
               or was over. Rescues during a failure of a database or a network are counted apart.
  stickers' bytes  What 200 connections saw, all together at most 100 times a second: before the first kill of the bucket, while it
               was dead, and after. A time is the whole, in mode redirect with the way to the bucket.
  addresses    From the kill until the last time that a client was sent to the bucket.
  bucket used again  From when the bucket answered until every process of the API used it.
  recovery     From the end of the last fault until 95 % of the requests are answered again and no more events wait than before
               the first one.

Faults

${printFaults()}
`;
}

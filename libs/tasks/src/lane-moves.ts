/** Bringing tasks into the queues of the lanes that have to work them. */
import type { Db, JobWithMetadata } from 'pg-boss';
import { jobData } from './job-data.ts';
import * as jobs from './job-sql.ts';
import { bucketData, laneOf, lanesInUse, workingLane, type LaneControl, type LaneShares } from './lanes.ts';
import { lanes, queueName, type Lane } from './task-types.ts';

/** Of what was just fetched, what is this lane's; the rest goes on, within the fetching transaction, to the lane whose it is by now. */
export async function handOn(
  db: Db,
  taskType: string,
  lane: Lane,
  rows: JobWithMetadata<unknown>[],
  control: LaneControl,
): Promise<JobWithMetadata<unknown>[]> {
  const own: JobWithMetadata<unknown>[] = [];
  for (const row of rows) {
    const { data } = jobData.safeParse(row.data);
    if (!data) {
      own.push(row);
      continue;
    }
    const known = control.bucketsOf(data.subject_id);
    const buckets = { dedicated: data.dedicated_bucket ?? known.dedicated, canary: data.canary_bucket ?? known.canary };
    const target = laneOf(taskType, buckets, control.shares());
    if (target === lane) own.push(row);
    else await jobs.handOn(db, queueName(taskType, lane), row, queueName(taskType, target), bucketData(buckets));
  }
  return own;
}

/** Moves what waits where the shares, or who lives, say that another lane has to work it. Returns the types that it moved any of. */
export async function moveToLanes(
  db: Db,
  taskTypes: string[],
  shares: LaneShares,
): Promise<{ taskType: string; count: number }[]> {
  const percents = { dedicated: shares.dedicatedPercent, canary: shares.canaryPercent };
  const allQueues = taskTypes.flatMap((taskType) => lanes.map((lane) => queueName(taskType, lane)));
  const waiting = new Set(await jobs.queuesWithWaiting(db, allQueues));
  const moved: { taskType: string; count: number }[] = [];
  for (const taskType of taskTypes) {
    let count = 0;
    for (const from of lanes.filter((lane) => waiting.has(queueName(taskType, lane)))) {
      for (const nominal of lanesInUse(shares)) {
        const to = workingLane(taskType, nominal, shares);
        if (to === from) continue;
        const queues = { from: queueName(taskType, from), to: queueName(taskType, to) };
        for (let hasMore = true; hasMore;) {
          const pass = await jobs.moveWaiting(db, queues, nominal, percents);
          count += pass.moved;
          hasMore = pass.hasMore;
        }
      }
    }
    if (count > 0) moved.push({ taskType, count });
  }
  return moved;
}

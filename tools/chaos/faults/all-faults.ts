/** Every fault that there is. */
import { duplicateDeliveryFault, poisonFault, queueWipeFault, retentionFault } from './data-faults.ts';
import {
  backendTerminationFault,
  databaseOutageFault,
  databaseStopFault,
  poolExhaustionFault,
} from './database-faults.ts';
import type { Fault } from './fault.ts';
import { flagFlipFault } from './flag-faults.ts';
import { clockJumpFault, diskFullFault } from './host-faults.ts';
import { laneDeathFault } from './lane-faults.ts';
import {
  commitTimeoutFault,
  netBlackholeFault,
  netCutFault,
  netLatencyFault,
  netResetFault,
  rollbackStormFault,
  staleWriteFault,
} from './network-faults.ts';
import { killFault, pauseFault, rollingRestartFault, terminateFault } from './process-faults.ts';
import { reloadLoopFault } from './reload-fault.ts';
import { objectStorageFault } from './storage-fault.ts';

export const allFaults: Fault[] = [
  killFault,
  pauseFault,
  terminateFault,
  rollingRestartFault,
  databaseStopFault,
  databaseOutageFault,
  backendTerminationFault,
  poolExhaustionFault,
  diskFullFault,
  netCutFault,
  netResetFault,
  netBlackholeFault,
  netLatencyFault,
  commitTimeoutFault,
  rollbackStormFault,
  staleWriteFault,
  duplicateDeliveryFault,
  queueWipeFault,
  poisonFault,
  retentionFault,
  clockJumpFault,
  flagFlipFault,
  laneDeathFault,
  reloadLoopFault,
  objectStorageFault,
];

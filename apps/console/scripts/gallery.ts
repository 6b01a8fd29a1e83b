/** What the gallery's pages do when scripts run. Each part looks for its elements and does nothing where there are none. */
import { startAnimatedPreviews } from './animated-previews.ts';
import { startEndlessList } from './endless-list.ts';
import { startPackActions } from './pack-actions.ts';

startAnimatedPreviews(document);
startEndlessList(document);
startPackActions(document);

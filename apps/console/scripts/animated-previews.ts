/**
 * Stills that move on hover, focus or tap. The animation is fetched when it is first wanted and replaces the still once it is
 * decoded, so nothing flickers. Whoever prefers less motion gets it on a tap or a key only.
 */
const stillSource = 'stillSrc';
const prefersLessMotion = matchMedia('(prefers-reduced-motion: reduce)');

/** Listens on the root: cards that come later are covered. */
export function startAnimatedPreviews(root: Document): void {
  const onEnter = (event: Event): void => {
    if (!prefersLessMotion.matches) play(pictureOf(event.target));
  };
  const onLeave = (event: Event): void => {
    const picture = pictureOf(event.target);
    const goesTo = (event as PointerEvent | FocusEvent).relatedTarget;
    if (picture && pictureOf(goesTo) !== picture && !isHeld(picture)) rest(picture);
  };
  root.addEventListener('pointerover', onEnter);
  root.addEventListener('pointerout', onLeave);
  root.addEventListener('focusin', onEnter);
  root.addEventListener('focusout', onLeave);
  root.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLElement>('a[data-play]') : null;
    const picture = pictureOf(link);
    if (!link || !picture) return;
    event.preventDefault();
    // A mouse plays it by pointing already: a click then holds it, and the next one lets it go.
    if (link.dataset.play === 'held') {
      link.dataset.play = '';
      rest(picture);
    } else {
      link.dataset.play = 'held';
      play(picture);
    }
  });
}

/** The picture of the card or sticker that holds `target`. */
function pictureOf(target: EventTarget | null): HTMLImageElement | null {
  const box = target instanceof Element ? target.closest('.card, .sticker') : null;
  return box?.querySelector<HTMLImageElement>('img[data-animated-src]') ?? null;
}

function isHeld(picture: HTMLImageElement): boolean {
  return picture.closest('[data-play="held"]') !== null;
}

function play(picture: HTMLImageElement | null): void {
  const source = picture?.dataset.animatedSrc;
  if (!picture || source === undefined || picture.dataset[stillSource] !== undefined) return;
  picture.dataset[stillSource] = picture.getAttribute('src') ?? '';
  const animation = new Image();
  animation.src = source;
  animation.decode().then(
    () => {
      // The pointer may have left meanwhile.
      if (picture.dataset[stillSource] !== undefined) picture.src = source;
    },
    () => rest(picture),
  );
}

function rest(picture: HTMLImageElement): void {
  const still = picture.dataset[stillSource];
  if (still === undefined) return;
  picture.src = still;
  delete picture.dataset[stillSource];
}

/** The field that finds operations; without scripts the page is whole and the browser's own search does it. */
const label = document.querySelector<HTMLElement>('[data-docs-search]');
const input = label?.querySelector('input');
const operations = document.querySelectorAll<HTMLElement>('[data-operation]');

if (label && input) {
  label.hidden = false;
  input.addEventListener('input', () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const operation of operations)
      operation.toggleAttribute(
        'data-is-filtered',
        !words.every((word) => operation.dataset.operation?.includes(word)),
      );
  });
}

export {};

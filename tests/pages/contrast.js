// Texts whose contrast with what lies behind them is below 4.5 to 1, by colours; disabled controls and
// the marks of a legend, which are no letters, are exempt.
() => {
    const parse = (colour) => {
        const numbers = colour.match(/[\d.]+/g).map(Number);
        return numbers.length < 4 ? [...numbers, 1] : numbers;
    };
    const linear = (value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const over = (front, back) => [0, 1, 2].map((i) => front[i] * front[3] + back[i] * (1 - front[3])).concat(1);
    const ancestors = function* (element) {
        for (; element; element = element.parentElement) yield element;
    };
    // A slider's value is a child of its thumb and stands above it: what is narrower does not lie behind.
    const width = (element) => element.getBoundingClientRect().width;
    const behind = (element) => {
        const layers = [];
        for (const ancestor of ancestors(element)) {
            if (width(ancestor) < width(element)) continue;
            const colour = parse(getComputedStyle(ancestor).backgroundColor);
            if (colour[3] > 0) layers.push(colour);
            if (colour[3] === 1) break;
        }
        return layers.reverse().reduce((back, front) => over(front, back), [255, 255, 255, 1]);
    };
    const exempt = (element) =>
        ['STYLE', 'SCRIPT', 'NOSCRIPT', 'TITLE'].includes(element.tagName) ||
        element.closest('[disabled], [aria-disabled=true], [aria-hidden=true]') ||
        !element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) ||
        element.getBoundingClientRect().width === 0;

    const faults = {};
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode.textContent.trim();
        const element = walker.currentNode.parentElement;
        if (!/[\p{L}\p{N}]/u.test(text) || exempt(element)) continue;
        const style = getComputedStyle(element);
        const back = behind(element);
        const front = parse(element.namespaceURI.endsWith('svg') ? style.fill : style.color);
        for (const ancestor of ancestors(element)) front[3] *= Number(getComputedStyle(ancestor).opacity);
        const seen = over(front, back);
        const [low, high] = [luminance(seen), luminance(back)].sort((a, b) => a - b);
        const ratio = (high + 0.05) / (low + 0.05);
        if (ratio < 4.5) (faults[`${ratio.toFixed(2)}: ${seen.map(Math.round)} on ${back.map(Math.round)}`] ??= []).push(text);
    }
    return faults;
}

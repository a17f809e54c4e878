// Pictures in rows; a press on one sends its name. A tile belongs to its picture, so that focus goes where that goes;
// tiles that stay what they are are left alone.
export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector("ul")
  const { tiles, pressable } = data
  const names = new Set(tiles.map((tile) => tile.name))
  for (const item of [...list.children]) if (!names.has(item.dataset.name)) item.remove()
  tiles.forEach((tile, place) => {
    let item = [...list.children].slice(place).find((other) => other.dataset.name === tile.name)
    if (!item) {
      const frame = document.createElement(pressable ? "button" : "div")
      frame.append(new Image(), document.createElement("span"))
      item = document.createElement("li")
      item.dataset.name = tile.name
      item.append(frame)
    }
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null)
    const frame = item.firstChild
    const [image, words] = frame.children
    if (image.src !== tile.source) image.src = tile.source
    image.alt = tile.alt
    words.textContent = tile.caption
    if (tile.selected) frame.setAttribute("aria-current", "true")
    else frame.removeAttribute("aria-current")
    if (pressable) frame.onclick = () => setTriggerValue("pressed", tile.name)
  })
  while (list.children.length > tiles.length) list.lastChild.remove()
}

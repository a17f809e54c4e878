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
      const picture = document.createElement("div")
      picture.append(new Image())
      frame.append(picture, document.createElement("span"))
      item = document.createElement("li")
      item.dataset.name = tile.name
      item.append(frame)
    }
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null)
    const frame = item.firstChild
    const [picture, words] = frame.children
    const image = picture.firstChild
    if (image.src !== tile.source) image.src = tile.source
    image.alt = tile.alt
    lay(tile.over, image)
    words.textContent = tile.caption
    if (tile.selected) frame.setAttribute("aria-current", "true")
    else frame.removeAttribute("aria-current")
    if (pressable) frame.onclick = () => setTriggerValue("pressed", tile.name)
  })
  while (list.children.length > tiles.length) list.lastChild.remove()
}

// Lays a picture over another. One that is not square leaves a part of its tile free; what lies over it does the same.
function lay(source, image) {
  if (!source) return image.nextSibling?.remove()
  const over = image.nextSibling ?? image.parentElement.appendChild(new Image())
  if (over.src !== source) over.src = source
  over.alt = ""
  const cover = () => {
    const ratio = image.naturalWidth / image.naturalHeight || 1
    over.style.width = `${100 * Math.min(ratio, 1)}%`
    over.style.height = `${100 / Math.max(ratio, 1)}%`
  }
  image.onload = cover
  cover()
}

// Pictures in rows; a press on one sends its name. Tiles that stay what they are are left alone.
export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector("ul")
  const { tiles, pressable } = data
  while (list.children.length > tiles.length) list.lastChild.remove()
  tiles.forEach((tile, place) => {
    let item = list.children[place]
    if (!item) {
      const frame = document.createElement(pressable ? "button" : "div")
      frame.append(new Image(), document.createElement("span"))
      item = document.createElement("li")
      item.append(frame)
      list.append(item)
    }
    const [image, words] = item.firstChild.children
    if (image.src !== tile.source) image.src = tile.source
    image.alt = tile.alt
    words.textContent = tile.caption
    if (pressable) item.firstChild.onclick = () => setTriggerValue("pressed", tile.name)
  })
}

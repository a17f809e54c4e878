// Words that follow a slider: a template of the server's, whose elements with data-slot are filled from its tables; those
// with data-tip show theirs on demand.
import { store } from "./live.js"

const places = new WeakMap()

export default function ({ data, parentElement, setTriggerValue }) {
  const { store: name, template, values } = data
  const live = store(name)
  let place = places.get(parentElement)
  if (place?.template !== template) {
    const element = place?.element ?? document.createElement("div")
    element.className = "gad-words"
    element.innerHTML = template
    if (!place) parentElement.append(element)
    for (const button of element.querySelectorAll("[data-choose]"))
      button.onclick = () => setTriggerValue("chosen", button.dataset.choose)
    place = { template, element, slots: [...element.querySelectorAll("[data-slot], [data-tip]")] }
    places.set(parentElement, place)
  }
  fill(place.slots, (slot) => values[slot])
  live.follow(place.element, () => fill(place.slots, (slot) => live.value(slot) ?? values[slot]))
}

function fill(slots, value) {
  for (const element of slots) {
    if (element.dataset.tip) {
      element.setAttribute("aria-label", value(element.dataset.tip) ?? "")
      continue
    }
    const text = value(element.dataset.slot) ?? ""
    if (element.textContent !== text) element.textContent = text
    if (element.hidden !== (text === "")) element.hidden = text === ""
  }
}

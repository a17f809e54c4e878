// The slider of the target: while it is dragged all that follows its tables moves; released, it tells the server.
import { store } from "./live.js"

const PAUSE = 250 // milliseconds between two messages while a key is held
const MOST = 50 // percent, and the least
const LEAST = 0.001
const sliders = new WeakMap()
let shown // last
// What waits to be said is said before anything else is done: a button acts on what its reader sees.
for (const event of ["pointerdown", "focusout"]) document.addEventListener(event, () => shown?.hurry(), true)

export default function ({ data, parentElement, setTriggerValue }) {
  if (!sliders.has(parentElement)) sliders.set(parentElement, new Slider(parentElement))
  sliders.get(parentElement).show(data, (message) => setTriggerValue("released", message))
}

class Slider {
  constructor(parent) {
    const element = document.createElement("div")
    element.className = "gad-slider"
    element.innerHTML = `
      <div class="head"><label></label><span class="gad-help" role="note" tabindex="0">?</span></div>
      <div class="track"><output></output><input type="range" min="0" step="1" /><div class="ticks"></div></div>
      <label class="box"><span>Target, %</span><input type="number" min="${LEAST}" max="${MOST}" step="any" /></label>`
    parent.append(element)
    this.element = element
    this.range = element.querySelector("[type=range]")
    this.box = element.querySelector("[type=number]")
    this.output = element.querySelector("output")
    this.count = 0 // of messages, so that an answer to an earlier one does not take back a later choice
    this.range.addEventListener("input", () => this.move())
    this.range.addEventListener("change", () => this.release())
    this.range.addEventListener("pointerdown", () => (this.held = true))
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"])
      this.range.addEventListener(end, () => (this.held = false))
    this.range.addEventListener("keydown", (event) => this.leap(event))
    this.box.addEventListener("input", () => (this.typing = true))
    this.box.addEventListener("change", () => this.type())
  }

  show(data, send) {
    shown = this
    const { label, help, columns, stops, at, ticks, answered } = data
    Object.assign(this, { send, stops, ticks })
    const [name] = this.element.querySelectorAll("label")
    name.textContent = label
    this.range.setAttribute("aria-label", label)
    this.box.setAttribute("aria-label", "Target, %")
    this.element.querySelector(".gad-help").setAttribute("aria-label", help)
    this.range.max = stops.length - 1
    this.live = store(data.store)
    this.element.dataset.store = data.store
    this.mark(ticks)
    const unsaid = this.waiting && this.wanted !== this.sent
    const stale = this.held || unsaid || answered < this.count
    if (!stale) {
      this.count = Math.max(this.count, answered)
      this.range.value = at
      this.sent = stops[at]
    }
    this.live.set(columns, stale ? Number(this.range.value) : at)
    this.live.follow(this.element, () => this.read())
  }

  mark(ticks) {
    const text = JSON.stringify([ticks, this.stops.length])
    if (text === this.marked) return
    this.marked = text
    const end = this.stops.length - 1
    this.element.querySelector(".ticks").replaceChildren(
      ...ticks.map(([at, words]) => {
        const tick = document.createElement("span")
        tick.textContent = words
        tick.style.setProperty("--at", at / end)
        return tick
      }),
    )
  }

  // One drawing a frame, however many events a mouse sends.
  move() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined
      this.live.move(Number(this.range.value))
    })
  }

  read() {
    this.element.style.setProperty("--at", this.live.at / (this.stops.length - 1))
    this.output.textContent = this.live.value("shown")
    this.range.setAttribute("aria-valuetext", this.live.value("spoken"))
    if (!this.typing) this.box.value = this.live.value("name")
  }

  // Page keys leap from tick to tick; arrows, home and end are the browser's own.
  leap(event) {
    const step = { PageUp: 1, PageDown: -1 }[event.key]
    if (!step) return
    event.preventDefault()
    const here = Number(this.range.value)
    const beyond = this.ticks.map(([at]) => at).filter((at) => (at - here) * step > 0)
    this.range.value = beyond.length ? Math[step > 0 ? "min" : "max"](...beyond) : step > 0 ? this.stops.length - 1 : 0
    this.move()
    this.release()
  }

  release() {
    this.live.move(Number(this.range.value))
    this.tell(this.stops[Number(this.range.value)])
  }

  type() {
    this.typing = false
    const value = Math.min(Math.max(this.box.valueAsNumber, LEAST), MOST)
    if (Number.isNaN(value)) {
      this.box.value = this.live.value("name")
      return
    }
    this.box.value = value
    this.range.value = nearest(this.stops, value)
    this.live.move(Number(this.range.value))
    this.tell(value)
  }

  // At once where nothing was said lately; a key that is held speaks now and then, and in the end.
  tell(value) {
    this.wanted = value
    if (this.waiting) return
    this.say()
    this.waiting = setTimeout(() => {
      this.waiting = undefined
      if (this.wanted !== this.sent) this.tell(this.wanted)
    }, PAUSE)
  }

  hurry() {
    if (this.waiting) this.say()
  }

  say() {
    if (this.wanted === this.sent) return
    this.sent = this.wanted
    this.send({ value: this.wanted, count: ++this.count })
  }
}

function nearest(stops, value) {
  let best = 0
  stops.forEach((stop, at) => {
    if (Math.abs(stop - value) < Math.abs(stops[best] - value)) best = at
  })
  return best
}

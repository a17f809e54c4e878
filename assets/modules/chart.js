// A chart that changes in place: drawn when it comes into sight, and drawn again only where its figure is another one.
// What moves with a slider lies over it (marks.js) and is drawn without Plotly.
import "./plotly-cartesian-4.1.1.min.js"
import { Marks } from "./marks.js"

const Plotly = globalThis.Plotly
const AHEAD = "400px" // from the window: so near it, a chart is drawn before it is seen
const MOVING = "moves" // the name of shapes and labels, and the meta of traces, that marks take the place of
const QUIET = "rgba(128, 138, 148, 0.9)" // of the toolbar
const LARGER = {
  width: 24,
  height: 24,
  path: "M4 4h6v2H6v4H4V4zm10 0h6v6h-2V6h-4V4zM4 14h2v4h4v2H4v-6zm14 0h2v6h-6v-2h4v-4z",
}
const AXIS = { zeroline: false } // figures bring their own margins: measured ones would draw every chart twice
const charts = new WeakMap() // by the place that Streamlit gives

export default function ({ data, parentElement, setTriggerValue }) {
  if (!charts.has(parentElement)) charts.set(parentElement, new Chart(parentElement))
  charts.get(parentElement).show(data, setTriggerValue)
}

// Each chart by its element: one observer for all takes less than one each, and forgets those that are gone.
const seen = new IntersectionObserver((entries) => entries.forEach((entry) => entry.target.chart.see(entry)), {
  rootMargin: AHEAD,
  scrollMargin: AHEAD,
})
const resized = new ResizeObserver((entries) => entries.forEach((entry) => entry.target.chart.fit()))

class Chart {
  constructor(parent) {
    this.place = document.createElement("div")
    this.place.className = "gad-chart"
    this.place.setAttribute("role", "img")
    this.place.chart = this
    parent.append(this.place)
    this.traces = []
    this.marks = new Marks(this.place)
    seen.observe(this.place)
    resized.observe(this.place)
    this.place.addEventListener("fullscreenchange", () => this.fit())
  }

  show(data, send) {
    this.send = send
    this.data = data
    this.place.setAttribute("aria-label", data.alt)
    this.place.style.setProperty("--height", `${data.height}px`)
    this.draw()
  }

  see({ isIntersecting }) {
    this.inSight = isIntersecting
    if (isIntersecting) this.draw()
  }

  draw() {
    const { figure, moves, name } = this.data
    const fresh = this.drawn === figure
    this.place.dataset.drawn = fresh || !this.inSight
    if (!this.inSight || !this.place.isConnected) return
    if (!fresh) {
      this.whole = JSON.parse(figure)
      const { data, layout } = moves ? without(this.whole) : this.whole
      const { shapes = [], annotations = [] } = layout
      const changed = this.changes(data, layout)
      if (changed === "marks") {
        Plotly.relayout(this.place, { shapes, annotations })
      } else if (changed) {
        const traces = this.traces.map(({ trace }) => trace)
        Plotly.react(this.place, traces, themed(layout, this.place), config(this, name))
      }
      if (!this.drawn) this.listen()
      this.drawn = figure
      this.place.dataset.drawn = true
    }
    this.marks.follow(moves)
  }

  // What is to be drawn: nothing, lines and labels alone ("marks"), or more. Traces that are what they were stay the
  // same objects: Plotly leaves alone what has not changed.
  changes(traces, { shapes, annotations, ...layout }) {
    const before = { traces: this.traces, marks: this.drawnMarks, layout: this.layout }
    this.traces = traces.map((trace, place) => {
      const text = JSON.stringify(trace)
      return before.traces[place]?.text === text ? before.traces[place] : { text, trace }
    })
    this.drawnMarks = JSON.stringify([shapes, annotations])
    this.layout = JSON.stringify(layout)
    const kept = this.traces.every((one, place) => one === before.traces[place])
    if (!kept || before.traces.length !== traces.length || before.layout !== this.layout) return "all"
    return before.marks === this.drawnMarks ? "" : "marks"
  }

  listen() {
    this.place.on("plotly_afterplot", () => this.marks.draw())
    this.place.on("plotly_click", ({ points }) => this.data.gestures === "pick" && this.send("picked", picked(points[0])))
    this.place.on("plotly_selected", (event) => this.data.gestures === "draw" && this.send("drawn", outlines(event)))
    this.place.on("plotly_deselect", () => this.data.gestures === "draw" && this.send("drawn", []))
  }

  fit() {
    const { offsetWidth: width } = this.place
    if (!this.drawn || !width || !this.inSight) return
    const height = document.fullscreenElement === this.place ? window.innerHeight : this.whole.layout.height
    const { width: drawn, height: high } = this.place._fullLayout
    if (width !== drawn || height !== high) Plotly.relayout(this.place, { width, height })
  }

  // As vectors, with all that marks stand for.
  save(filename) {
    const { width, height } = this.place._fullLayout
    Plotly.downloadImage({ ...this.whole, layout: themed(this.whole.layout, this.place) }, { format: "svg", filename, width, height })
  }
}

// The figure without what marks draw: pale bars are there a second time, in the colour that they have above a threshold.
function without({ data, layout }) {
  const moving = ({ name }) => name === MOVING
  const traces = data
    .filter((trace) => trace.meta !== MOVING)
    .flatMap((trace) => (trace.meta?.above ? [trace, { ...trace, marker: trace.meta.above }] : [trace]))
  if (!traces.length) traces.push({ type: "scatter", x: [], y: [] }) // else its axes would not be drawn
  const rest = (parts) => (parts ?? []).filter((part) => !moving(part))
  return { data: traces, layout: { ...layout, shapes: rest(layout.shapes), annotations: rest(layout.annotations) } }
}

function themed(layout, place) {
  const style = getComputedStyle(place)
  return {
    ...layout,
    width: place.offsetWidth || undefined,
    font: { family: style.fontFamily, color: "#10171E", ...layout.font }, // style.css turns it light on a dark page
    margin: { pad: 7, ...layout.margin },
    clickmode: "event",
    modebar: { bgcolor: "rgba(0,0,0,0)", color: QUIET, activecolor: style.getPropertyValue("--st-primary-color") },
    ...Object.fromEntries(
      Object.entries(layout)
        .filter(([key]) => /^[xy]axis/.test(key))
        .map(([key, axis]) => [key, { ...AXIS, ...axis }]),
    ),
  }
}

function config(chart, filename) {
  const drawing = chart.data.gestures === "draw"
  return {
    displaylogo: false,
    displayModeBar: drawing ? true : "hover",
    modeBarButtonsToRemove: ["toImage", "sendChartToCloud", "autoScale2d", ...(drawing ? [] : ["select2d", "lasso2d"])],
    modeBarButtonsToAdd: [
      { name: "save", title: "Save as SVG", icon: Plotly.Icons.camera, click: () => chart.save(filename) },
      { name: "larger", title: "Full screen", icon: LARGER, click: () => fullScreen(chart.place) },
    ],
  }
}

function fullScreen(place) {
  return document.fullscreenElement ? document.exitFullscreen() : place.requestFullscreen()
}

function picked({ customdata }) {
  return { customdata: ArrayBuffer.isView(customdata) ? [...customdata] : customdata }
}

// The corners of every outline that stands: boxes and lassos.
function outlines({ selections = [] } = {}) {
  return selections.map(({ type, x0, y0, x1, y1, path }) =>
    type === "path"
      ? [...path.matchAll(/[ML]([^,]+),([^MLZ]+)/g)].map(([, x, y]) => [Number(x), Number(y)])
      : [[x0, y0], [x1, y0], [x1, y1], [x0, y1]],
  )
}

// What lies over a chart and moves with a slider: lines, a band, points with their intervals, bars, words, and where
// bars change colour. All of it is drawn from the tables of live.js at the place where the slider stands.
import { store } from "./live.js"

const SVG = "http://www.w3.org/2000/svg"
const EDGE = 0.15 // of the plot: so near to its end a centred label would stick out
const LINE = 19 // pixels from one line of text to the next
const CAP = 4 // pixels: half the cap of a whisker
let number = 0

export class Marks {
  constructor(place) {
    this.place = place
    this.clip = `gad-clip-${number++}`
  }

  follow(moves) {
    this.moves = moves
    if (!moves) return
    const live = store(moves.store)
    if (this.live === live) this.draw()
    this.live = live
    live.follow(this.place, () => this.place.chart.inSight && this.draw())
  }

  draw() {
    const layout = this.place._fullLayout
    if (!this.moves || !layout?._size || this.live.at === null) return
    const plot = new Plot(this.layer(), layout, this)
    for (const mark of this.moves.marks) DRAW[mark.kind](plot, mark, (name) => this.live.value(name))
    plot.end()
  }

  // Drawn anew by Plotly, a chart has lost what lay over it.
  layer() {
    if (this.group?.isConnected) return this.group
    this.group = make("g", { class: "gad-marks" })
    this.group.append(make("clipPath", { id: this.clip }, [make("rect", { y: -1e4, height: 2e4, width: 1e5 })]))
    this.place.querySelector(".main-svg").append(this.group)
    return this.group
  }
}

// The shapes of one drawing: those of the last one are used again in the same order.
class Plot {
  constructor(group, layout, { place, clip }) {
    Object.assign(this, { group, layout, place, clip, used: 1 }) // the first child is the clip
    const { xaxis: x, yaxis: y } = layout
    this.left = x._offset
    this.top = y._offset
    this.width = x._length
    this.height = y._length
    this.x = (value) => x._offset + clamp(x.d2p(value), -1e4, 1e4)
    this.y = (value) => y._offset + clamp(y.d2p(value), -1e4, 1e4)
  }

  shape(tag, attributes) {
    const old = this.group.children[this.used++]
    if (old?.tagName === tag) return change(old, attributes)
    const fresh = make(tag, attributes)
    if (old) old.replaceWith(fresh)
    else this.group.append(fresh)
    return fresh
  }

  line(x1, y1, x2, y2, attributes) {
    this.shape("path", { d: `M${x1} ${y1}L${x2} ${y2}`, fill: "none", ...attributes })
  }

  words(text, x, y, anchor, attributes = {}) {
    const element = this.shape("text", { x, y, "text-anchor": anchor, class: "", ...attributes })
    if (element.textContent !== text) element.textContent = text
  }

  inside(x) {
    return x >= this.left - 0.5 && x <= this.left + this.width + 0.5
  }

  end() {
    while (this.group.children.length > this.used) this.group.lastChild.remove()
  }
}

const DRAW = {
  // A vertical line with its name above the plot, where several have rows of their own.
  line(plot, { x, label, row = 0, style }, value) {
    const at = value(x)
    if (at == null) return
    const px = plot.x(at)
    if (!plot.inside(px)) return
    plot.line(px, plot.top, px, plot.top + plot.height, { class: style })
    if (!label) return
    const share = (px - plot.left) / plot.width
    const anchor = share < EDGE ? "start" : share > 1 - EDGE ? "end" : "middle"
    plot.words(value(label), px, plot.top - 6 - LINE * row, anchor)
  },

  // Bars above the threshold stand in full colour over the pale ones: those are cut off at it.
  cut(plot, { x }, value) {
    const at = value(x)
    change(plot.group.firstChild.firstChild, { x: at == null ? 1e5 : plot.layout.xaxis.d2p(at) })
    plot.place.querySelectorAll(".barlayer > .trace").forEach((trace, place) => {
      if (place % 2) trace.setAttribute("clip-path", `url(#${plot.clip})`)
      else trace.removeAttribute("clip-path")
    })
  },

  // What lies between two thresholds.
  band(plot, { from, to, label }, value) {
    const [low, high] = [value(from), to]
    if (low == null || high < low) return
    const [start, end] = [low, high].map((at) => clamp(plot.x(at), plot.left, plot.left + plot.width))
    plot.shape("rect", { x: start, y: plot.top, width: end - start, height: plot.height, class: "band" })
    plot.words(label, start + 4, plot.top + 16, "start")
  },

  // The promised rate, a dashed line across.
  promise(plot, { y }, value) {
    const py = plot.y(value(y))
    plot.line(plot.left, py, plot.left + plot.width, py, { class: "predicted" })
  },

  // A rate of every level with its interval; those of the tuning are full.
  levels(plot, { series, levels, aside }, value) {
    const all = value(`levels ${series}`)
    const kind = series.replace(" ", "-")
    levels.forEach(([level, full], place) => {
      const found = all?.[level]
      if (!found) return
      const [px, [middle, low, high]] = [plot.x(place + aside), found.map(plot.y)]
      whisker(plot, low, high, px, true)
      plot.shape("circle", { cx: px, cy: middle, r: 5.5, class: `${kind} ${full ? "full" : "open"}` })
    })
  },

  // A point with the intervals of both rates: [value, low, high] each.
  point(plot, { x, y }, value) {
    const [across, up] = [value(x), value(y)]
    if (across == null || up == null) return
    const [px, py] = [plot.x(across[0]), plot.y(up[0])]
    whisker(plot, plot.x(across[1]), plot.x(across[2]), py, false)
    whisker(plot, plot.y(up[1]), plot.y(up[2]), px, true)
    plot.shape("circle", { cx: px, cy: py, r: 6, class: "chosen" })
  },

  // Horizontal bars, a row each: [value, low, high] and words at the end.
  bars(plot, { rows, labels }, value) {
    const [all, words] = [value(rows), value(labels)]
    all?.forEach(([share, low, high], row) => {
      const [py, zero] = [plot.y(row), plot.x(0)]
      const half = Math.abs(plot.y(0.25) - plot.y(0))
      plot.shape("rect", { x: zero, y: py - half, width: Math.max(plot.x(share) - zero, 0), height: 2 * half, class: "defect" })
      whisker(plot, plot.x(low), plot.x(high), py, false)
      plot.words(words[row], plot.left + plot.width + 8, py + 5, "start")
    })
  },

  // Words at places of the plot, several lines each; the first is what matters.
  words(plot, { places, texts }, value) {
    const all = value(texts)
    places.forEach(([x, y], place) =>
      all?.[place].forEach((line, row, { length }) =>
        plot.words(line, plot.x(x), plot.y(y) + 5 + LINE * (row - (length - 1) / 2), "middle", { class: row ? "" : "first" }),
      ),
    )
  },
}

function whisker(plot, from, to, across, upright) {
  const bar = (x1, y1, x2, y2) => (upright ? `M${y1} ${x1}L${y2} ${x2}` : `M${x1} ${y1}L${x2} ${y2}`)
  const d = bar(from, across, to, across) + [from, to].map((end) => bar(end, across - CAP, end, across + CAP)).join("")
  plot.shape("path", { d, fill: "none", class: "whisker" })
}

function make(tag, attributes, children = []) {
  const element = change(document.createElementNS(SVG, tag), attributes)
  element.append(...children)
  return element
}

function change(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    const text = String(value)
    if (element.getAttribute(name) !== text) element.setAttribute(name, text)
  }
  return element
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high)
}

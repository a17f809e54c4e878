// What moves while a slider is dragged: tables over its stops, sent by the server, and where on them the slider stands.
// Whoever shows something of it follows; nobody here counts or rounds, so that every number is the server's.
const KEPT = 4 // tables: of the tunings that were looked at last
const stores = new Map()

export function store(name) {
  if (!stores.has(name)) stores.set(name, new Store())
  if (stores.size > KEPT) stores.delete(stores.keys().next().value)
  return stores.get(name)
}

class Store {
  constructor() {
    this.followers = new Map() // by element: those that have left the page are forgotten
    this.columns = null
    this.at = null
  }

  // New tables, or the same with the slider elsewhere; the place holds once they are unpacked.
  async set(packed, place) {
    this.place = place
    if (packed !== this.packed) {
      this.packed = packed
      const columns = await unpacked(packed)
      if (packed !== this.packed) return // newer ones came meanwhile
      this.columns = columns
      this.fresh = true
    }
    if (this.columns) this.move(this.place)
  }

  move(at) {
    if (at === this.at && !this.fresh) return
    this.fresh = false
    this.at = at
    for (const [element, show] of this.followers) {
      if (element.isConnected) show(this)
      else this.followers.delete(element)
    }
  }

  // What a column says where the slider stands; undefined where there is no such column yet.
  value(name) {
    const column = this.columns?.[name]
    return column?.values[column.places[this.at]]
  }

  // `show` is called now, if there are tables, and whenever the slider moves, as long as the element is on the page.
  follow(element, show) {
    this.followers.set(element, show)
    if (this.at !== null) show(this)
  }
}

function unpacked(packed) {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0))
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json()
}

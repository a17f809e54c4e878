// What moves while a slider is dragged: tables over its stops, sent by the server, and where on them the slider stands.
// Whoever shows something of it follows; nobody here counts or rounds, so that every number is the server's.
const stores = new Map()

export function store(name) {
  if (!stores.has(name)) stores.set(name, new Store())
  return stores.get(name)
}

class Store {
  constructor() {
    this.followers = new Map() // by element: those that have left the page are forgotten
    this.columns = {}
    this.at = null
  }

  // New tables, or the same with the slider elsewhere.
  set(text, at) {
    if (text !== this.text) {
      this.text = text
      this.columns = JSON.parse(text)
      this.fresh = true
    }
    this.move(at)
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
    const column = this.columns[name]
    return column && column.values[column.places[this.at]]
  }

  follow(element, show) {
    this.followers.set(element, show)
    if (this.at !== null) show(this)
  }
}

// One event stream while the page is seen. It resumes by itself where it broke off.

const TYPES = "SignalRaised,VerdictReached,OrderChanged,PositionChanged,EquityMarked,AlertRaised,StateChanged";
const FLUSH_MS = 250;

export class Live {
  #stream = null;
  #batch = [];
  #timer = null;

  /** `apply` gets what has happened in small batches, `status` the state of the connection, `fresh` runs on every new start. */
  constructor({ apply, status, fresh, ended }) {
    Object.assign(this, { apply, status, fresh, ended });
    this.onVisible = () => (document.hidden ? this.#close("paused") : this.#open());
  }

  start() {
    document.addEventListener("visibilitychange", this.onVisible);
    this.#timer = setInterval(() => this.#flush(), FLUSH_MS);
    if (!document.hidden) this.#open();
  }

  stop() {
    document.removeEventListener("visibilitychange", this.onVisible);
    clearInterval(this.#timer);
    this.#close("off");
  }

  #open() {
    if (this.#stream) return;
    const stream = new EventSource(`/api/stream?types=${TYPES}`);
    this.#stream = stream;
    this.status("connecting");
    let known = false;
    stream.addEventListener("hello", () => {
      this.status("live");
      if (!known) this.fresh();
      known = true;
    });
    for (const type of TYPES.split(","))
      stream.addEventListener(type, (event) => this.#batch.push({ ...JSON.parse(event.data), kind: type }));
    stream.onerror = () => {
      this.status("lost");
      if (stream.readyState === EventSource.CLOSED) {
        this.#close("lost");
        this.ended();
        setTimeout(() => document.hidden || this.#timer === null || this.#open(), 3000);
      }
    };
  }

  #close(status) {
    this.#stream?.close();
    this.#stream = null;
    this.#batch = [];
    this.status(status);
  }

  #flush() {
    if (!this.#batch.length) return;
    const batch = this.#batch;
    this.#batch = [];
    this.apply(batch);
  }
}

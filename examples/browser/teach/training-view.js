// What is seen of a training: how far it is, and its curves.
import { lineChart } from "../../../dist/report/line-chart.js";
import { duration, percent } from "../../../dist/report/figures.js";

/** Milliseconds between two drawings of the curves. */
const DRAW_MS = 250;
const METRICS = { labels: "accuracy", spans: "span F1" };

export class TrainingView {
  #bar;
  #text;
  #curves;
  #say;
  #metric = "";
  #loss = [];
  #scores = [];
  #isMeasuring = false;
  #drawn = 0;
  #told = 0;

  /** @param bar a progress element @param text and @param curves where they are shown @param say for screen readers, seldom */
  constructor(bar, text, curves, say) {
    this.#bar = bar;
    this.#text = text;
    this.#curves = curves;
    this.#say = say;
  }

  begin(kind) {
    this.#metric = METRICS[kind];
    this.#loss = [];
    this.#scores = [];
    this.#isMeasuring = false;
    this.#drawn = 0;
    this.#told = 0;
    this.#bar.removeAttribute("value");
    this.#text.textContent = "Reading the rows";
    this.#draw();
  }

  /** @param progress as `trainAdapter` reports it */
  show({ phase, epoch, epochs, step, steps, loss, metric, secondsLeft }) {
    this.#bar.max = steps;
    this.#bar.value = step;
    if (phase === "train") this.#loss.push([step, loss]);
    // "dev" is reported before the held-out rows are measured, and again after.
    if (phase === "dev" && this.#isMeasuring) this.#scores.push([step, metric]);
    this.#isMeasuring = phase === "dev" && !this.#isMeasuring;

    const left = step === 0 ? "" : `, ${duration(secondsLeft)} left`;
    const score = metric === null ? "" : `, ${this.#metric} ${percent(metric)} on held-out rows`;
    this.#text.textContent = `Epoch ${epoch} of ${epochs}${score}${left}`;
    const quarter = Math.floor((4 * step) / steps);
    if (quarter > this.#told && step < steps) {
      this.#told = quarter;
      this.#say(`${quarter * 25} per cent${score}${left}.`);
    }
    const now = performance.now();
    if (now - this.#drawn < DRAW_MS && step < steps) return;
    this.#drawn = now;
    this.#draw();
  }

  /** The curves of a training that is over. */
  end({ steps, evaluations, best }) {
    this.#loss = steps.map(({ step, loss }) => [step, loss]);
    this.#scores = evaluations.map(({ step, metric }) => [step, metric]);
    this.#draw(best);
  }

  #draw(best = null) {
    const charts = [
      lineChart({ title: "Loss", x: "update", series: [{ name: "loss", points: this.#loss }] }),
      lineChart({
        title: `Held-out ${this.#metric}`, x: "update", format: percent, limits: [0, 1],
        series: [{ name: this.#metric, points: this.#scores, dots: true }],
        ...(best === null ? {} : { mark: { point: [best.step, best.metric], label: `Best: ${percent(best.metric)} after ${best.step} updates` } }),
      }),
    ]; // prettier-ignore
    // Markup of the report: what is put in is escaped.
    this.#curves.innerHTML = charts.join("");
  }
}

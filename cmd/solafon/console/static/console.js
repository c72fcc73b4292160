// What the console does beside showing what the server sends: events, the plot,
// copying, and keeping the newest message in sight.
"use strict";

const problem = document.getElementById("problem");
const say = (text) => { problem.textContent = text; };

// Events are pieces of the page, which htmx puts in their places.
const source = new EventSource("/events?since=" + encodeURIComponent(document.body.dataset.since));
source.onmessage = (event) => {
  htmx.swap(document.body, event.data, { swapStyle: "none" });
  say("");
};
source.addEventListener("anew", () => location.reload());
source.onerror = () => say("The platform does not answer; this page goes on when it is back.");

// What the page was made with does not come a second time.
document.body.addEventListener("htmx:oobBeforeSwap", (event) => {
  const added = event.detail.fragment.firstElementChild;
  const known = added && added.id && added.closest("article, .message, tr") === added && document.getElementById(added.id);
  if (known) event.detail.shouldSwap = false;
});

document.body.addEventListener("htmx:oobAfterSwap", (event) => {
  const target = event.detail.target;
  if (target.classList.contains("log") || target.id === "output" || target.id === "chats") newest(target);
  if (target.id === "deliveries") plotSoon();
});

const newest = (log) => { log.scrollTop = log.scrollHeight; };
document.querySelectorAll(".log, #output").forEach(newest);

// A form is emptied once what it holds has arrived, and says why it did not.
document.body.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (event.detail.successful) {
    say("");
    if (form.matches("form[data-reset]")) form.reset();
  } else {
    say(event.detail.xhr.responseText.trim() || "The platform does not answer.");
  }
});

document.body.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const from = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(from.value ?? from.textContent);
    button.textContent = "Copied";
  } catch {
    say("This browser does not let the page copy; select the text instead.");
  }
});

// The plot: durations of the deliveries, failures red, and the line of 10 seconds.
const place = document.getElementById("plot");
let plot, waiting;
const size = () => ({ width: place.clientWidth, height: 200 });
const series = (label, color) => ({ label, stroke: color, paths: () => null, points: { show: true, size: 7, fill: color }, value: (_, v) => (v == null ? "" : v + " ms") });
// A logarithmic scale begins at a power of ten: from anything else uPlot can count without end.
const decade = (ms) => 10 ** Math.max(-3, Math.floor(Math.log10(Math.min(ms > 0 ? ms : 1, 0.1))));
const plotSoon = () => { clearTimeout(waiting); waiting = setTimeout(draw, 200); };
async function draw() {
  const response = await fetch("/durations");
  if (!response.ok) return;
  const data = await response.json();
  data.push(data[0].map(() => 10000));
  if (plot) { plot.setData(data); return; }
  plot = new uPlot({
    ...size(),
    scales: { y: { distr: 3, range: (_, min) => [decade(min), 100000] } },
    axes: [{}, { label: "ms", size: 70 }],
    series: [{}, series("taken", "#1a6b2d"), series("failed", "#b3151d"), { label: "10 s", stroke: "#b3151d", dash: [6, 4], points: { show: false } }],
  }, data, place);
}
addEventListener("resize", () => plot && plot.setSize(size()));
draw();

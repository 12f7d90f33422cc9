// Draws the tables of a page as charts; whoever sees no chart reads the table, which is always there.
//
// <figure data-chart="bars|stacked|line">
//   <div data-canvas></div>      where it is drawn; empty without this file
//   <details><table>…</table>    thead: one th for what stands along the axis, then one th for each series;
//                                tbody: a th (or td) with its name, then a td for each number, or its data-value
// A series is drawn in the colour of the stylesheet's --state-<tone> when its th has data-tone="<tone>".
(() => {
  "use strict";

  if (!window.echarts) return;

  // Okabe and Ito's colours, which people with any kind of colour vision tell apart.
  const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"];
  const ROW = 34;
  const FRAME = 48;
  const LINE_HEIGHT = 260;
  const WIDEST_NAME = 0.3;
  const drawn = new Map();

  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const text = (cell) => cell.textContent.trim();
  const number = (cell) => Number((cell.dataset.value ?? text(cell)).replace(/[^\d.-]/g, ""));

  function read(table) {
    const [, ...heads] = table.tHead.rows[0].cells;
    const rows = [...table.tBodies[0].rows];
    return {
      names: rows.map((row) => text(row.cells[0])),
      series: heads.map((head, index) => ({
        name: text(head),
        colour: (head.dataset.tone && style(`--state-${head.dataset.tone}`)) || COLOURS[index % COLOURS.length],
        numbers: rows.map((row) => number(row.cells[index + 1])),
      })),
    };
  }

  function option(kind, { names, series }, width) {
    const isLine = kind === "line";
    const font = getComputedStyle(document.body);
    const quiet = { axisLine: { show: false }, axisTick: { show: false } };
    const label = { color: font.color, fontFamily: font.fontFamily };
    const name = isLine ? label : { ...label, width: width * WIDEST_NAME, overflow: "break" };
    const along = { type: "category", data: names, inverse: !isLine, axisTick: { show: false }, axisLabel: name };
    const number = { ...label, hideOverlap: true };
    const across = { type: "value", minInterval: 1, splitNumber: 4, axisLabel: number, ...quiet };
    return {
      animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      animationDuration: 300,
      // Hatching besides the colours, for screens and eyes on which these look alike.
      aria: { enabled: true, label: { enabled: false }, decal: { show: !isLine && series.length > 1 } },
      grid: { left: 8, right: 40, top: 16, bottom: 8, containLabel: true },
      xAxis: isLine ? along : across,
      yAxis: isLine ? across : along,
      series: series.map((one, index) => ({
        name: one.name,
        type: isLine ? "line" : "bar",
        stack: kind === "stacked" ? "all" : undefined,
        data: one.numbers,
        color: one.colour,
        barMaxWidth: 22,
        symbol: ["circle", "rect", "triangle", "diamond"][index % 4],
        symbolSize: 7,
        label: { show: kind === "bars", position: "right", ...label },
      })),
    };
  }

  function legend(series) {
    const list = document.createElement("ul");
    list.className = "chart-legend";
    series.forEach((one) => {
      const entry = document.createElement("li");
      const swatch = document.createElement("span");
      swatch.className = "chart-swatch";
      swatch.style.backgroundColor = one.colour;
      entry.append(swatch, one.name);
      list.append(entry);
    });
    return list;
  }

  function draw(figure) {
    const table = figure.querySelector("table");
    const canvas = figure.querySelector("[data-canvas]");
    if (!table || !canvas || drawn.has(canvas)) return;
    const numbers = read(table);
    if (!numbers.names.length) return;
    const kind = figure.dataset.chart;
    const lanes = kind === "bars" ? numbers.series.length : 1;
    const surface = document.createElement("div");
    surface.style.height = `${kind === "line" ? LINE_HEIGHT : FRAME + ROW * lanes * numbers.names.length}px`;
    canvas.setAttribute("aria-hidden", "true");
    canvas.replaceChildren(...(numbers.series.length > 1 ? [legend(numbers.series)] : []), surface);
    const chart = window.echarts.init(surface);
    const fit = () => {
      chart.resize();
      chart.setOption(option(kind, numbers, surface.clientWidth));
    };
    fit();
    drawn.set(canvas, { chart, fit });
  }

  function drawAll() {
    drawn.forEach(({ chart }, canvas) => {
      if (canvas.isConnected) return;
      chart.dispose();
      drawn.delete(canvas);
    });
    document.querySelectorAll("figure[data-chart]").forEach(draw);
  }

  window.addEventListener("resize", () => drawn.forEach(({ fit }) => fit()));
  document.addEventListener("htmx:after:swap", drawAll);
  drawAll();
})();

// The figures of the documents, drawn for the width of the window: one bar, a curve against n, cells over two sizes, columns.

const SVG = "http://www.w3.org/2000/svg";
const SERIES = 7; // patches that can be told apart
const CHARACTER = 6.3; // about how wide a character of the type is

function shape(name, attributes, ...parts) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes))
    made.setAttribute(key, typeof value === "number" ? Math.round(value * 100) / 100 : value);
  made.append(...parts);
  return made;
}

const box = (x, y, width, height, look, more = {}) =>
  shape("rect", { x, y, width: Math.max(width, 0), height: Math.max(height, 0), class: look, ...more });
const stroke = (points, look, more = {}) => shape("polyline", { points: points.map((p) => p.map((v) => v.toFixed(2)).join(",")).join(" "), class: look, ...more });
// Words, or parts of them, of which a list is a symbol: its base in italics, its subscript below.
const words = (x, y, text, look = "quiet", anchor = "start") =>
  shape("text", { x, y, class: look, "text-anchor": anchor }, ...[].concat(text).flatMap((part) => (typeof part === "string" ? [part] : symbolWords(part[0]))));

function symbolWords(name) {
  const [base, sub] = data.names[name] || [name, ""];
  const own = shape("tspan", { "font-style": "italic" }, base);
  return sub ? [own, shape("tspan", { dy: "0.25em", "font-size": "0.75em" }, sub), shape("tspan", { dy: "-0.19em" }, "\u200b")] : [own];
}

const plainOf = (text) => [].concat(text).map((part) => (typeof part === "string" ? part : part[0])).join("");
const widthOf = (text) => plainOf(text).length * CHARACTER;

// How wide a figure is: asked once for each width of the window, because the browser lays out the page for an answer.
const widths = new Map();
function widthAt(place) {
  if (!widths.get(place)) widths.set(place, place.clientWidth);
  return widths.get(place) || 640;
}

function drawing(place, height, said, shapes) {
  const width = widthAt(place);
  const svg = shape("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, width, height, preserveAspectRatio: "xMinYMid", role: "img", "aria-label": said }, ...shapes);
  place.querySelector("svg")?.remove();
  place.prepend(svg);
}

// Parts in their order; where there are more than can be told apart, the smallest of them are one.
function merged(parts) {
  const kept = [...parts].filter(([, size]) => order(size, 0n));
  if (kept.length <= SERIES) return kept;
  const large = new Set([...kept].sort((a, b) => order(b[1], a[1])).slice(0, SERIES - 1));
  const rest = kept.filter((one) => !large.has(one));
  return [...kept.filter((one) => large.has(one)), [`${rest.length} others`, rest.reduce((all, one) => plus(all, one[1]), 0n)]];
}

// Words that stay inside the width.
function inside(x, text, width) {
  const half = widthOf(text) / 2;
  return Math.min(Math.max(x, half), width - half);
}

function drawBar(place, parts, capacity, unit, line) {
  const width = widthAt(place), top = 24, tall = 34;
  const total = parts.reduce((all, one) => plus(all, one[1]), 0n);
  const most = double(order(total, capacity) > 0 ? total : capacity) * 1.02;
  const x = (bytes) => (bytes / most) * width;
  const shapes = [];
  let left = 0;
  parts.forEach(([, size], series) => {
    const wide = x(double(size));
    shapes.push(box(left, top, wide, tall, `series-${series}`));
    left += wide;
  });
  const at = x(double(capacity));
  shapes.push(stroke([[at, top - 6], [at, top + tall + 6]], "limit"));
  shapes.push(words(inside(at, line, width), top - 10, line, "accent", "middle"));
  const said = parts.map(([name, size]) => `${name}: ${told(size, unit)}`).join("; ") + "; " + line;
  drawing(place, top + tall + 10, said, shapes);
}

// Bytes of one device against n, on axes of even factors.
function drawCurve(place, found, names, said) {
  const unit = found.held.unit;
  const width = widthAt(place), height = 232, top = 14, bottom = height - 38, left = 74, right = width - 14;
  const capacity = double(found.capacity), value = found.value === null ? null : Number(found.value);
  const at = mostInDoubles(found.moments.map((one) => one.profile));
  const floor_ = Math.max(...found.moments.map((one) => double(one.fixed)));
  let end = value === null ? 64 : 8 * 2 ** Math.ceil(Math.log2(Math.max(value, 1)));
  if (value === null) while (end < 2 ** 20 && at(end) > 1.05 * floor_) end *= 2;
  const sizes = [at(1), at(end), capacity];
  let low = Math.min(...sizes) * 0.8, high = Math.max(...sizes, 2 * capacity) * 1.25;
  if (value === null) low = capacity / 2;
  const shows = floor_ > 0 && 4 * floor_ >= low;
  if (shows) low = Math.min(low, (floor_ * 2) / 3);
  const x = (n) => left + (Math.log2(n) / Math.log2(end)) * (right - left);
  const y = (bytes) => bottom - (Math.log2(bytes / low) / Math.log2(high / low)) * (bottom - top);
  const shapes = [];
  const labels = [];
  const free = (y0) => labels.every((other) => Math.abs(other - y0) > 15);
  if (value !== null) shapes.push(box(x(value), top, right - x(value), bottom - top, "tint"));
  for (const tick of factorTicks(low, high, unit)) {
    const at = y(double(tick));
    shapes.push(stroke([[left, at], [right, at]], "hair"), words(left - 8, at + 4, told(tick, unit), "quiet", "end"));
  }
  const count = Math.round(Math.log2(end)), apartBy = Math.max(1, Math.ceil((count * 46) / (right - left)));
  const asked = value === null ? null : grouped(String(found.value));
  for (let k = 0; k <= count; k += apartBy) {
    const mark = grouped(String(2 ** k));
    shapes.push(stroke([[x(2 ** k), top], [x(2 ** k), bottom]], "hair"));
    const far = value === null || Math.abs(x(2 ** k) - x(value)) > (widthOf(mark) + widthOf(asked)) / 2 + 8;
    if (far) shapes.push(words(inside(x(2 ** k), mark, width), bottom + 16, mark, "quiet", "middle"));
  }
  const steps = 120;
  const curve = Array.from({ length: steps + 1 }, (_, i) => 2 ** ((Math.log2(end) * i) / steps)).map((n) => [x(n), y(at(n))]);
  if (shows) shapes.push(stroke([[left, y(floor_)], [right, y(floor_)]], "floor"));
  shapes.push(stroke([[left, y(capacity)], [right, y(capacity)]], "limit"));
  shapes.push(stroke(curve, "curve"));
  const limitRight = value !== null && x(value) < left + widthOf(names.capacity) + 16;
  const close = shows && y(capacity) - y(floor_) > 0 && y(capacity) - y(floor_) < 24;
  labels.push(close && y(capacity) + 15 < bottom ? y(capacity) + 15 : y(capacity) - 5);
  if (close && y(capacity) + 15 >= bottom) labels[0] = y(floor_) - 5;
  shapes.push(words(limitRight ? right - 4 : left + 4, labels[0], names.capacity, "accent", limitRight ? "end" : "start"));
  if (shows) {
    const places = value === null ? [y(floor_) - 5, y(floor_) + 15] : [y(floor_) + 15, y(floor_) - 5];
    const other = places.find((one) => one < bottom - 2 && one > top + 10 && free(one) && Math.abs(one - 5 - y(capacity)) > 10);
    const from = value === null ? left + 4 : right - 4;
    if (other) shapes.push(words(from, other, names.floor, "quiet", value === null ? "start" : "end")), labels.push(other);
  }
  if (value !== null) {
    shapes.push(stroke([[x(value), top], [x(value), bottom]], "answer-line"));
    shapes.push(shape("circle", { cx: x(value), cy: y(at(value)), r: 4, class: "dot" }));
    shapes.push(words(inside(x(value), asked, width), bottom + 16, asked, "accent", "middle"));
    const fits = inside((x(value) + right) / 2, names.fits, width);
    if (free(top + 14)) shapes.push(words(fits, top + 14, names.fits, "quiet", "middle"));
  }
  shapes.push(words((left + right) / 2, height - 4, names.axis, "quiet", "middle"));
  drawing(place, height, said, shapes);
}

// The smallest n over two sizes: a number in each cell, darker the larger, a dash where none is enough.
function drawCells(place, rows, columns, entries, heads, here, said) {
  const width = widthAt(place), left = Math.min(110, 30 + Math.max(...rows.map((one) => widthOf(one)))), top = 8;
  const wide = (width - left - 4) / columns.length, tall = 26, height = top + rows.length * tall + 40;
  const known = entries.flat().filter((one) => one !== null && one !== undefined).map((one) => Math.log2(Number(one)));
  const low = Math.min(...known), high = Math.max(...known);
  const shapes = [];
  entries.forEach((line, row) => {
    const y = top + (rows.length - 1 - row) * tall;
    shapes.push(words(left - 8, y + 17, rows[row], "quiet", "end"));
    line.forEach((entry, column) => {
      const x = left + column * wide;
      const none = entry === null || entry === undefined;
      const share = none || high === low ? 0 : (Math.log2(Number(entry)) - low) / (high - low);
      const up = Math.round(share * 5), level = up - (up - share * 5 === 0.5 && up % 2); // a tie to the even one
      const [ax, ay] = [x + 1, y + 1];
      shapes.push(box(ax, ay, wide - 2, tall - 2, none ? "empty" : `level-${level}`));
      let text = none ? (entry === null ? "–" : "·") : grouped(String(entry));
      if (widthOf(text) > wide - 4) text = Number(entry).toExponential(0).replace("e+", "e");
      const look = none ? "quiet" : level > 2 ? "on-dark" : "on-light";
      shapes.push(words(x + wide / 2, y + 17, text, look, "middle"));
      if (row === here[0] && column === here[1]) shapes.push(box(ax, ay, wide - 2, tall - 2, "here"));
    });
  });
  const every = columns.some((one) => widthOf(one) > wide - 4) ? 2 : 1;
  columns.forEach((text, column) => {
    if (column % every === here[1] % every) shapes.push(words(left + (column + 0.5) * wide, height - 24, text, "quiet", "middle"));
  });
  shapes.push(words(left + (width - left) / 2, height - 5, [[heads[1]]], "quiet", "middle"));
  shapes.push(words(2, top + (rows.length * tall) / 2 + 4, [[heads[0]]], "quiet"));
  drawing(place, height, said, shapes);
}

// Columns of parts side by side, those of one group together, against a capacity.
function drawColumns(place, columns, capacity, unit, line, said) {
  const width = widthAt(place), height = 230, top = 24, bottom = height - 24, left = 62;
  const sums = columns.map((one) => one.parts.reduce((all, size) => plus(all, size), 0n));
  const high = sums.reduce((most, one) => (order(one, most) > 0 ? one : most), capacity);
  const most = double(high) * 1.125;
  const y = (bytes) => bottom - (bytes / most) * (bottom - top);
  const groups = [...new Set(columns.map((one) => one.group))];
  const gap = 10, wide = (width - left - 4 - gap * (groups.length - 1)) / columns.length;
  const shapes = [];
  for (const tick of evenTicks(0, most, unit)) {
    const at = y(double(tick));
    shapes.push(stroke([[left, at], [width, at]], "hair"), words(left - 6, at + 4, tick === 0n ? "0" : told(tick, unit), "quiet", "end"));
  }
  let x = left, end = -1;
  groups.forEach((group) => {
    const from = x;
    columns.filter((one) => one.group === group).forEach((one) => {
      let base = 0;
      one.parts.forEach((size, place) => {
        const bytes = double(size);
        if (bytes) shapes.push(box(x, y(base + bytes), Math.max(wide - 1, 0.6), y(base) - y(base + bytes), `series-${place}`, {}));
        base += bytes;
      });
      const hit = box(x, top, wide, bottom - top, "hit");
      hit.append(shape("title", {}, `${one.words}: ${told(sums[columns.indexOf(one)], unit)}`));
      shapes.push(hit);
      x += wide;
    });
    const middle = inside((from + x) / 2, group, width);
    if (middle - widthOf(group) / 2 > end) {
      shapes.push(words(middle, height - 6, group, "quiet", "middle"));
      end = middle + widthOf(group) / 2 + 6;
    }
    x += gap;
  });
  const at = y(double(capacity));
  shapes.push(stroke([[left, at], [width, at]], "limit"));
  shapes.push(words(width - 4, at - 6 < 12 ? at + 14 : at - 6, line, "accent", "end"));
  drawing(place, height, said, shapes);
}

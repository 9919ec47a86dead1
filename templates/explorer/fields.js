// The fields: sizes with sliders, what is chosen of several things, and what may be written or not.

const fields = {};
const STEPS = 10; // doublings in each direction of a slider

function sliderValues(name) {
  const centre = own.values[name], found = new Set();
  for (let k = -STEPS; k <= STEPS; k++)
    for (const halves of [2n, 3n]) {
      const [up, down] = [BigInt(Math.max(k, 0)), BigInt(Math.max(-k, 0))];
      const value = (((centre * halves) << up) / (1n << down) + 1n) / 2n; // rounded
      if (value > 0n && value <= MOST) found.add(value);
    }
  return [...found].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function field(name) {
  const exact = $(`field-${name}`), range = exact.previousElementSibling;
  const values = sliderValues(name);
  range.addEventListener("input", () => take(name, values[Number(range.value)]));
  exact.addEventListener("input", () => {
    try {
      take(name, numberOf(name, exact.value), exact);
    } catch (refusal) {
      if (typeof refusal !== "string") throw refusal;
      invalid.set(name, refusal);
      marks();
    }
  });
  exact.addEventListener("change", () => invalid.has(name) || show());
  fields[name] = { range, exact, why: $(`why-${name}`), values, unit: data.names[name][3] };
}

function take(name, value, typing) {
  setting.values[name] = value;
  if (data.formulas[name] && !setting.typed.includes(name)) setting.typed.push(name);
  invalid.delete(name);
  update(typing);
}

function select(id, options, chosen) {
  const made = $(id);
  made.addEventListener("change", () => chosen(made.selectedIndex));
  fields[id] = { select: made };
  made.replaceChildren(...options.map((text) => node("option", {}, text)));
}

// A field in which something may be written or not; `taken` takes it, or throws why it does not.
function written(name, taken) {
  const exact = $(name);
  exact.addEventListener("input", () => {
    try {
      taken(exact.value.trim());
      invalid.delete(name);
      update(exact);
    } catch (refusal) {
      if (typeof refusal !== "string") throw refusal;
      invalid.set(name, refusal);
      marks();
    }
  });
  fields[name] = { exact, why: $(`why-${name}`) };
}

// Takes over the fields that stand in the page, with what has been written or moved meanwhile.
function build() {
  $("fields").addEventListener("submit", (event) => event.preventDefault());
  const readings = () => Object.entries(data.devices.find((one) => one.name === setting.device).readings);
  select("device", data.devices.map((one) => one.title), (place) => {
    setting.device = data.devices[place].name;
    setting.amount = null;
    invalid.delete("amount");
    const names = readings().map(([name]) => name);
    if (!names.includes(setting.reading)) setting.reading = names[0];
    update();
  });
  select("reading", [], (place) => {
    setting.reading = readings()[place][0];
    setting.amount = null;
    invalid.delete("amount");
    update();
  });
  data.choices.forEach(([name, , , options], place) => {
    if (options.length > 1) select(`choose-${name}`, options.map(([, text]) => text), (option) => {
      setting.chosen[place] = option;
      delete setting.shares[name];
      update();
    });
  });
  written("amount", (text) => {
    if (text) heldOfAmount(data, text);
    setting.amount = text || null;
  });
  if ($("share")) written("share", (text) => takeShares(setting, readShares(text)));
  written("shows", (text) => { setting.shows = text ? numberOf(n, text) : own.shows; });
  symbols.filter((name) => !holds.has(name)).forEach(field);
  for (const [id, text] of [["copy-command", () => commandOf(setting)], ["copy-link", linkOf], ["copy-latex", () => latexOf(last)]])
    $(id).addEventListener("click", () => copy($(id), text()));
  $("keep").addEventListener("click", () => keep(copyOf(last.setting)));
  $("forget").addEventListener("click", () => keep(null));
  $("reset").addEventListener("click", () => {
    setting = copyOf(own);
    invalid.clear();
    update();
  });
  if (data.command === null) $("copy-command").hidden = true;
  if (!hasAddress) $("copy-link").hidden = true;
}

// What is shown.

function marks() {
  for (const [name, { exact, why }] of Object.entries(fields)) {
    if (!exact) continue;
    const refusal = invalid.get(name) || "";
    exact.setAttribute("aria-invalid", String(!!refusal));
    if (why.textContent !== refusal) why.textContent = refusal;
  }
}

function show(typing) {
  for (const name of symbols.filter((one) => fields[one])) {
    const { range, exact, values, unit } = fields[name];
    const value = setting.values[name];
    if (exact !== typing && !invalid.has(name)) exact.value = whole(value) ? grouped(value.toString()) : decimalOf(value);
    const place = values.findIndex((one) => order(one, value) >= 0);
    range.value = place < 0 ? values.length - 1 : place;
    range.setAttribute("aria-valuetext", `${decimalOf(value)} ${unit}`.trim());
  }
  if (fields.shows.exact !== typing && !invalid.has("shows")) fields.shows.exact.value = setting.shows === null ? "" : grouped(setting.shows.toString());
  if (fields.amount.exact !== typing && !invalid.has("amount")) fields.amount.exact.value = setting.amount ?? "";
  if (fields.share && fields.share.exact !== typing && !invalid.has("share")) fields.share.exact.value = sharesText(setting.shares);
  const place = data.devices.findIndex((one) => one.name === setting.device), byName = setting.amount === null;
  fields.device.select.selectedIndex = byName ? place : -1;
  const readings = Object.entries(data.devices[place].readings), { select } = fields.reading;
  const texts = readings.map(([name, one]) => (name && `${name}: `) + (one.few || told(fractionOf(one.bytes), one.unit)));
  if (texts.join("\n") !== [...select.options].map((one) => one.text).join("\n")) select.replaceChildren(...texts.map((text) => node("option", {}, text)));
  select.selectedIndex = byName ? readings.findIndex(([name]) => name === setting.reading) : -1;
  data.choices.forEach(([name], choice) => {
    const own = fields[`choose-${name}`];
    if (own) own.select.selectedIndex = name in setting.shares ? -1 : setting.chosen[choice];
  });
  marks();
}

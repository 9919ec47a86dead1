// The page stands without its script: what it shows first is the answer of the study. What it carries deflated, data and script,
// is opened at the first sign of a reader, or when a second has passed; at once where a link asks for another setting, of
// which nothing is seen before: so this stands before all that is seen.
globalThis.wake = (() => {
  const EVENTS = ["pointerover", "pointerdown", "touchstart", "wheel", "scroll", "keydown", "focusin", "beforeprint", "hashchange"];
  const root = document.documentElement, ready = new Promise((parsed) => addEventListener("DOMContentLoaded", parsed));
  let done = null, early = null;
  const click = ({ target }) => { early = target.closest("button"); };
  // Each eleven signs are nine bytes: the signs from the space on are digits, the last first, and "<" is none of them.
  const read = (signs) => {
    const bytes = new Uint8Array(Math.floor(signs.length * 9 / 11));
    for (let at = 0; at * 11 < signs.length; at++) {
      const first = at * 9, last = Math.min(first + 9, bytes.length);
      let number = 0n;
      for (let k = Math.min(at * 11 + 11, signs.length); k-- > at * 11;) {
        const code = signs.charCodeAt(k);
        number = number * 94n + BigInt(code - (code > 60 ? 33 : 32));
      }
      for (let k = last; k-- > first; number >>= 8n) bytes[k] = Number(number & 255n);
    }
    return bytes;
  };
  const open = async () => {
    await ready;
    const packed = document.getElementById("packed");
    if (!globalThis.DecompressionStream) {
      root.hidden = false;
      packed.replaceWith("This browser is too old to change anything here: it has no DecompressionStream. The command line gives the same: symbolic-mem solve.");
      return;
    }
    const bytes = read(packed.textContent);
    const unpacking = new DecompressionStream("deflate"), into = unpacking.writable.getWriter();
    into.write(bytes), into.close();
    const text = await new Response(unpacking.readable).text();
    const end = text.indexOf("\n");
    document.getElementById("data").textContent = text.slice(0, end);
    const script = document.createElement("script");
    script.textContent = text.slice(end + 1);
    packed.replaceWith(script);
    removeEventListener("click", click, true);
    early?.click(); // what was pressed while it opened
  };
  const wake = () => {
    for (const sign of EVENTS) removeEventListener(sign, wake, true);
    return (done ??= open());
  };
  for (const sign of EVENTS) addEventListener(sign, wake, { capture: true, passive: true });
  addEventListener("click", click, true);
  root.hidden = location.protocol !== "about:" && location.hash !== "";
  if (root.hidden) wake();
  else setTimeout(wake, 1000);
  return wake;
})();

// The page stands without its script: what it shows first is the answer of the study. What it carries deflated, data and script,
// is opened at the first sign of a reader, or when a second has passed; at once where a link asks for another setting.
globalThis.wake = (() => {
  const SIGNS = ["pointerover", "pointerdown", "touchstart", "wheel", "scroll", "keydown", "focusin", "beforeprint", "hashchange"];
  const page = document.getElementById("page"), packed = document.getElementById("packed"), held = document.getElementById("data");
  let done = null, early = null;
  const click = ({ target }) => { early = target.closest("button"); };
  const open = async () => {
    if (!globalThis.DecompressionStream) {
      page.hidden = false;
      packed.replaceWith("This browser is too old to change anything here: it has no DecompressionStream. The command line gives the same: symbolic-mem solve.");
      return;
    }
    const signs = packed.textContent;
    const bytes = Uint8Array.fromBase64 ? Uint8Array.fromBase64(signs) : Uint8Array.from(atob(signs), (sign) => sign.charCodeAt(0)); // ten times as slow
    const unpacking = new DecompressionStream("deflate"), into = unpacking.writable.getWriter();
    into.write(bytes), into.close();
    const text = await new Response(unpacking.readable).text();
    const end = text.indexOf("\n");
    held.textContent = text.slice(0, end);
    const script = document.createElement("script");
    script.textContent = text.slice(end + 1);
    packed.replaceWith(script);
    removeEventListener("click", click, true);
    early?.click(); // what was pressed while it opened
  };
  const wake = () => {
    for (const sign of SIGNS) removeEventListener(sign, wake, true);
    return (done ??= open());
  };
  for (const sign of SIGNS) addEventListener(sign, wake, { capture: true, passive: true });
  addEventListener("click", click, true);
  page.hidden = location.protocol !== "about:" && location.hash !== "";
  if (page.hidden) wake();
  else setTimeout(wake, 1000);
  return wake;
})();

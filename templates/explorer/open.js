// Opens what the page carries deflated: what it holds, and the script, which runs because the policy of the page knows it.
globalThis.opened = (async () => {
  const packed = document.getElementById("packed"), held = document.getElementById("data");
  if (!globalThis.DecompressionStream) {
    packed.replaceWith("This browser is too old for the page: it has no DecompressionStream. The command line gives the same: symbolic-mem solve.");
    return;
  }
  const font = document.fonts.load('1em "Symbolic Mem Math"').catch(() => {}); // there before the page is laid out, which is then done once
  const signs = packed.textContent;
  const bytes = Uint8Array.fromBase64 ? Uint8Array.fromBase64(signs) : Uint8Array.from(atob(signs), (sign) => sign.charCodeAt(0)); // ten times as slow
  const text = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
  await font;
  const end = text.indexOf("\n");
  held.textContent = text.slice(0, end);
  const script = document.createElement("script");
  script.textContent = text.slice(end + 1);
  packed.replaceWith(script);
})();

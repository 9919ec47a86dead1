// Opens what the page carries deflated: what it holds, and the script, which runs because the policy of the page knows it.
globalThis.opened = (async () => {
  const packed = document.getElementById("packed"), held = document.getElementById("data");
  if (!globalThis.DecompressionStream) {
    packed.replaceWith("This browser is too old for the page: it has no DecompressionStream. The command line gives the same: symbolic-mem solve.");
    return;
  }
  const bytes = Uint8Array.from(atob(packed.textContent), (sign) => sign.charCodeAt(0));
  const text = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
  const end = text.indexOf("\n");
  held.textContent = text.slice(0, end);
  const script = document.createElement("script");
  script.textContent = text.slice(end + 1);
  packed.replaceWith(script);
})();

// Figures in steps (`steps` in book/figures.py): one at a time, with buttons to step and to
// play. Nothing moves before the reader asks; whoever wants reduced motion steps by hand.
(() => {
  const SECONDS = 1.4;
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  const button = (label, text) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.setAttribute("aria-label", label);
    return made;
  };

  const equip = (figure) => {
    const parts = [...figure.querySelectorAll(":scope > .ubh-step")];
    const back = button("Previous step", "\u2190");
    const play = button("Play", "Play");
    const on = button("Next step", "\u2192");
    const count = document.createElement("output");
    let at = 0;
    let timer = null;

    const show = (index) => {
      at = Math.max(0, Math.min(parts.length - 1, index));
      parts.forEach((part, i) => part.classList.toggle("ubh-shown", i === at));
      count.textContent = `Step ${at + 1} of ${parts.length}`;
      back.setAttribute("aria-disabled", at === 0);
      on.setAttribute("aria-disabled", at === parts.length - 1);
      if (at === parts.length - 1) stop();
      dispatchEvent(new Event("resize")); // a box that scrolls may have come into view
    };
    const stop = () => {
      clearInterval(timer);
      timer = null;
      play.textContent = "Play";
      play.setAttribute("aria-label", "Play");
    };
    const start = () => {
      show(at === parts.length - 1 ? 0 : at + 1);
      timer = setInterval(() => show(at + 1), SECONDS * 1000);
      play.textContent = "Pause";
      play.setAttribute("aria-label", "Pause");
    };
    const step = (by) => {
      stop();
      show(at + by);
    };
    back.addEventListener("click", () => step(-1));
    on.addEventListener("click", () => step(1));
    play.addEventListener("click", () => (timer ? stop() : start()));

    const player = document.createElement("div");
    player.className = "ubh-player";
    player.setAttribute("role", "group");
    player.setAttribute("aria-label", "Steps of this figure");
    const adapt = () => {
      play.hidden = still.matches;
      if (still.matches) stop();
    };
    still.addEventListener("change", adapt);
    adapt();
    player.append(back, play, on, count);
    parts.at(-1).after(player);
    figure.classList.add("ubh-equipped");
    show(0);
  };

  for (const figure of document.querySelectorAll(".ubh-steps")) equip(figure);
})();

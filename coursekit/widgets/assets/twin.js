(() => {
  "use strict";
  let count = 0;

  // One figure: reads its data, joins its controls to its canvas. Nothing is left in the global scope.
  const start = (root) => {
    const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
    const canvas = root.querySelector(".ck-picture canvas");
    const poster = root.querySelector(".ck-picture img");
    const pad = root.querySelector(".ck-pad");
    const [width, height] = data.size;
    const sizes = data.axes.map((axis) => axis.texts.length);
    const inputs = sizes.map((_, k) => [...root.querySelectorAll(`[data-axis="${k}"]`)]);
    const state = inputs.map(([input], k) =>
      input.type === "radio" ? inputs[k].findIndex((i) => i.defaultChecked)
        : input.type === "range" ? Number(input.defaultValue)
          : [...input.options].findIndex((o) => o.defaultSelected));
    const id = `ck-${(count += 1)}-${Math.random().toString(36).slice(2, 8)}`;
    const clamp = (i, n) => Math.min(Math.max(i, 0), n - 1);
    const number = (at) => at.reduce((sum, i, k) => sum * sizes[k] + i, 0);

    const sheets = [];
    const sheet = (s) => (sheets[s] ??= (() => {
      const image = new Image();
      image.src = data.sheets[s];
      return image.decode().then(() => image);
    })());

    const paint = (target, image, tile, x, y, w, h) => {
      const t = tile % data.perSheet;
      const left = (t % data.columns) * width, top = Math.floor(t / data.columns) * height;
      target.drawImage(image, left, top, width, height, x, y, w, h);
    };

    const pen = canvas.getContext("2d");
    let wanted = -1;
    const draw = async () => {
      const now = number(state);
      wanted = now;
      const tile = data.tiles[now];
      const image = await sheet(Math.floor(tile / data.perSheet));
      if (wanted !== now) return;
      pen.imageSmoothingEnabled = false;
      paint(pen, image, tile, 0, 0, width, height);
      canvas.hidden = false;
      poster.hidden = true;
      root.dataset.state = state.join(",");
      root.dataset.tile = tile;
    };

    // The plane's background made of the pictures themselves, y upwards.
    const ground = async () => {
      const images = await Promise.all(data.sheets.map((_, s) => sheet(s)));
      const k = Number(pad.dataset.plane), [nx, ny] = [sizes[k], sizes[k + 1]];
      const target = pad.querySelector("canvas"), mixed = target.getContext("2d"), at = [...state];
      const cell = Math.max(4, Math.min(width, Math.round(720 / Math.max(nx, ny))));
      const high = Math.round((cell * height) / width);
      [target.width, target.height] = [nx * cell, ny * high];
      for (let i = 0; i < nx; i += 1) {
        for (let j = 0; j < ny; j += 1) {
          [at[k], at[k + 1]] = [i, j];
          const tile = data.tiles[number(at)];
          paint(mixed, images[Math.floor(tile / data.perSheet)], tile, i * cell, (ny - 1 - j) * high, cell, high);
        }
      }
      pad.dataset.ground = "drawn";
    };

    const said = root.querySelector(".ck-said");
    let waiting;
    const say = () => {
      const values = data.axes.map((axis, k) => `${axis.label}: ${axis.texts[state[k]]}`).join(", ");
      const caption = data.captions.length ? data.captions[number(state)] : "";
      const shown = root.querySelector(".ck-caption");
      if (shown) shown.textContent = caption;
      canvas.setAttribute("aria-label", `${data.alt} Now ${values}. ${caption}`.trim());
      clearTimeout(waiting);
      if (root.dataset.ready) waiting = setTimeout(() => { said.textContent = `${values}. ${caption}`.trim(); }, 500);
    };

    const show = () => {
      state.forEach((i, k) => {
        const text = data.axes[k].texts[i];
        const value = root.querySelector(`[data-value="${k}"]`);
        if (value) value.textContent = text;
        inputs[k].forEach((input) => {
          if (input.type === "radio") { input.checked = Number(input.value) === i; return; }
          input.value = i;
          if (input.type !== "range") return;
          input.style.setProperty("--ck-at", `${(100 * i) / (sizes[k] - 1)}%`);
          input.setAttribute("aria-valuetext", text);
        });
      });
      if (pad) {
        const k = Number(pad.dataset.plane);
        pad.style.setProperty("--ck-x", (state[k] + 0.5) / sizes[k]);
        pad.style.setProperty("--ck-y", (state[k + 1] + 0.5) / sizes[k + 1]);
      }
      say();
      draw();
    };

    const move = (changes) => {
      let changed = false, beside = false;
      for (const [k, i] of changes) {
        const next = clamp(i, sizes[k]);
        if (next === state[k]) continue;
        state[k] = next;
        changed = true;
        beside ||= !pad || (k !== Number(pad.dataset.plane) && k !== Number(pad.dataset.plane) + 1);
      }
      if (!changed) return;
      show();
      if (data.ground && beside) ground();
    };

    inputs.forEach((group, k) => group.forEach((input) => {
      if (input.type === "radio") input.name = `${id}-${k}`;
      input.addEventListener("input", () => move([[k, Number(input.value)]]));
    }));

    const bindPlane = () => {
      const k = Number(pad.dataset.plane), [nx, ny] = [sizes[k], sizes[k + 1]];
      const follow = (event) => {
        const box = pad.getBoundingClientRect();
        const x = (event.clientX - box.left) / box.width, y = 1 - (event.clientY - box.top) / box.height;
        move([[k, Math.floor(x * nx)], [k + 1, Math.floor(y * ny)]]);
      };
      pad.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        pad.setPointerCapture(event.pointerId);
        inputs[k][0].focus({ preventScroll: true });
        follow(event);
      });
      pad.addEventListener("pointermove", (event) => {
        if (event.pointerType === "mouse" || pad.hasPointerCapture(event.pointerId)) follow(event);
      });
      pad.addEventListener("keydown", (event) => {
        const far = event.shiftKey ? Math.max(2, Math.round(nx / 5)) : 1, page = Math.max(2, Math.round(ny / 5));
        const [i, j] = [state[k], state[k + 1]];
        const to = {
          ArrowLeft: [i - far, j], ArrowRight: [i + far, j], ArrowUp: [i, j + far], ArrowDown: [i, j - far],
          PageUp: [i, j + page], PageDown: [i, j - page], Home: [0, j], End: [nx - 1, j],
        }[event.key];
        if (!to) return;
        event.preventDefault();
        if (to[0] !== i) inputs[k][0].focus({ preventScroll: true });
        if (to[1] !== j) inputs[k + 1][0].focus({ preventScroll: true });
        move([[k, to[0]], [k + 1, to[1]]]);
      });
    };

    const bindPlay = (button) => {
      const k = Number(button.dataset.play), label = data.axes[k].label;
      let timer = 0;
      const stop = () => {
        clearInterval(timer);
        timer = 0;
        delete button.dataset.playing;
        button.setAttribute("aria-label", `Play ${label}`);
      };
      const step = () => {
        if (state[k] + 1 >= sizes[k]) { stop(); return; }
        move([[k, state[k] + 1]]);
      };
      button.addEventListener("click", () => {
        if (timer) { stop(); return; }
        if (state[k] + 1 >= sizes[k]) move([[k, 0]]);
        button.dataset.playing = "";
        button.setAttribute("aria-label", `Pause ${label}`);
        timer = setInterval(step, Math.max(80, Math.min(400, 6000 / sizes[k])));
      });
      inputs[k][0].addEventListener("pointerdown", stop);
    };

    if (pad) bindPlane();
    root.querySelectorAll("[data-play]").forEach(bindPlay);
    // Until a reader comes to it, one sheet at most is decoded; then the others follow.
    const rest = () => data.sheets.reduce((before, _, s) => before.then(() => sheet(s)), Promise.resolve());
    ["pointerenter", "focusin"].forEach((name) => root.addEventListener(name, rest, { once: true }));
    show();
    if (data.ground) ground();
    root.dataset.ready = "true";
  };

  // A figure starts when it comes near the window.
  const near = new IntersectionObserver((entries) => {
    entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => {
      near.unobserve(target);
      start(target);
    });
  }, { rootMargin: "600px" });
  document.querySelectorAll(".ck-figure:not([data-seen])").forEach((root) => {
    root.dataset.seen = "true";
    near.observe(root);
  });
})();

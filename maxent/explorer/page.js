/* The page around MaxentModel: sliders, the map, steps of the iterations, the trade-off, a walk. */
(() => {
  const M = MaxentModel, $ = (id) => document.getElementById(id);
  const given = JSON.parse($("world").textContent);
  const COLDEST = -3, HOTTEST = 1; // powers of ten on the temperature's slider
  const VIEWS = ["value", "policy", "entropy", "occupancy"];
  const TOOLS = ["choose", "wall", "reward"];
  const MODES = ["solution", "value iteration", "policy iteration"];
  const CIVIDIS = ["#2c4a7e", "#3f5a79", "#56667a", "#6b737c", "#80807a", "#978e72", "#b09e66", "#cab055", "#e5c440", "#fde737"];

  const fresh = () => ({ world: structuredClone(given.world), temperature: given.temperature, view: "value",
    tool: "choose", mode: "solution", chosen: null, sweeps: 0 });
  let state = fresh(), mdp, solution, start, stateAt, iterate, curve = [], job = 0, walker = null, timer = 0;

  /* ---- the link: what differs from what was given ---- */
  const KNOBS = ["discount", "slip", "step_reward"];
  function packed() {
    const kept = { t: state.temperature, v: state.view, m: state.mode, k: state.sweeps, c: state.chosen };
    for (const knob of KNOBS) kept[knob] = state.world[knob];
    kept.cells = [];
    state.world.rows.forEach((row, r) => [...row].forEach((character, c) => {
      const paid = state.world.cell_reward[r][c];
      if (character !== given.world.rows[r][c] || paid !== given.world.cell_reward[r][c]) kept.cells.push([r, c, character, paid]);
    }));
    return encodeURIComponent(JSON.stringify(kept));
  }
  function unpacked(hash) {
    const made = fresh();
    const number = (x, low, high) => typeof x === "number" && x >= low && x <= high;
    try {
      const kept = JSON.parse(decodeURIComponent(hash));
      if (number(kept.t, 0, 10 ** HOTTEST)) made.temperature = kept.t;
      if (VIEWS.includes(kept.v)) made.view = kept.v;
      if (MODES.includes(kept.m)) made.mode = kept.m;
      if (number(kept.k, 0, 1e5)) made.sweeps = Math.floor(kept.k);
      if (number(kept.discount, 0, 0.999)) made.world.discount = kept.discount;
      if (number(kept.slip, 0, 1)) made.world.slip = kept.slip;
      if (number(kept.step_reward, -1e6, 1e6)) made.world.step_reward = kept.step_reward;
      for (const [r, c, character, paid] of kept.cells || []) {
        if (made.world.rows[r]?.[c] === undefined || (character !== given.world.rows[r][c] && !/^[#.]$/.test(character))) continue;
        put(made.world, r, c, character, typeof paid === "number" && Number.isFinite(paid) ? paid : null);
      }
      if (Array.isArray(kept.c) && made.world.rows[kept.c[0]]?.[kept.c[1]] !== undefined) made.chosen = kept.c;
    } catch { /* a broken link opens what was given */ }
    return made;
  }
  function put(world, r, c, character, paid) {
    const row = world.rows[r];
    world.rows[r] = row.slice(0, c) + character + row.slice(c + 1);
    world.cell_reward[r][c] = paid;
  }

  /* ---- computing ---- */
  function rebuild() {
    mdp = M.build(state.world);
    stateAt = new Map(mdp.cell.map(([r, c], s) => [r + "," + c, s]));
    start = null;
    walker = null;
    stopWalk();
    $("walked").textContent = "";
    curve = [];
    if (!state.chosen) {
      const first = Math.max(0, mdp.initial.findIndex((p) => p > 0));
      state.chosen = mdp.cell[first];
    }
    resolve();
    traceCurve();
  }
  function resolve() {
    solution = M.solve(mdp, state.temperature, start);
    start = solution.v;
    iterate = null;
    draw();
  }
  /* The iterate that is shown: V_k of soft value iteration from 0, or of policy iteration from the
     uniform policy. */
  function shown() {
    if (state.mode === "solution") return { ...solution, error: 0 };
    const by = state.mode === "value iteration";
    if (!iterate || iterate.mode !== state.mode || iterate.k > state.sweeps) {
      const v = new Float64Array(mdp.states);
      const uniform = M.boltzmann(mdp, new Float64Array(mdp.reward.length), 1);
      iterate = { mode: state.mode, k: 0, v: by ? v : M.evaluate(mdp, uniform, state.temperature), policy: uniform };
      iterate.first = M.distance(iterate.v, solution.v);
    }
    while (iterate.k < state.sweeps) {
      const q = M.backup(mdp, iterate.v);
      iterate.policy = M.boltzmann(mdp, q, state.temperature, 1e-9);
      iterate.v = by ? M.softValue(mdp, q, state.temperature) : M.evaluate(mdp, iterate.policy, state.temperature, iterate.v);
      iterate.k += 1;
    }
    const q = M.backup(mdp, iterate.v);
    return { v: iterate.v, q, policy: by ? M.boltzmann(mdp, q, state.temperature, 1e-9) : iterate.policy,
             error: M.distance(iterate.v, solution.v) };
  }
  /* The trade-off's 41 temperatures, a few at a time, so that the page stays quick. */
  function traceCurve() {
    const mine = ++job;
    let from = null, i = 0;
    const go = () => {
      if (mine !== job) return;
      const until = performance.now() + 12;
      while (i <= 40 && performance.now() < until) {
        const found = M.solve(mdp, 10 ** (COLDEST + (HOTTEST - COLDEST) * i / 40), from, 1e-9);
        from = found.v;
        curve.push(M.tradeoff(mdp, found));
        i += 1;
      }
      drawTradeoff();
      if (i <= 40) setTimeout(go, 0);
    };
    setTimeout(go, 30);
  }

  /* ---- drawing ---- */
  const digits = (x, n = 4) => (Math.abs(x) >= 1e4 || (x !== 0 && Math.abs(x) < 1e-3) ? x.toExponential(2) : x.toPrecision(n).replace(/\.?0+$/, ""));
  function colour(share) {
    const at = Math.min(Math.max(share, 0), 1) * (CIVIDIS.length - 1), low = Math.min(Math.floor(at), CIVIDIS.length - 2);
    const channel = (hex, i) => parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16);
    const mix = [0, 1, 2].map((i) => Math.round(channel(CIVIDIS[low], i) * (1 - at + low) + channel(CIVIDIS[low + 1], i) * (at - low)));
    return { fill: `rgb(${mix.join()})`, ink: 0.3 * mix[0] + 0.59 * mix[1] + 0.11 * mix[2] > 118 ? "#000000" : "#ffffff" };
  }
  function draw() {
    const now = shown(), map = $("map"), { height, width } = mdp;
    const numbers = { value: now.v, policy: now.v, entropy: M.entropy(mdp, now.policy) };
    const values = state.view === "occupancy" ? M.occupancy(mdp, now.policy) : numbers[state.view];
    let low = Infinity, high = -Infinity;
    values.forEach((x, s) => { if (!mdp.terminal[s]) { low = Math.min(low, x); high = Math.max(high, x); } });
    if (state.view === "entropy") { low = 0; high = Math.log(mdp.actions); }
    if (map.childElementCount !== height || map.dataset.width !== String(width)) makeCells(map, height, width);
    for (let r = 0; r < height; r++) {
      for (let c = 0; c < width; c++) drawCell(map.children[r].children[c], r, c, values, low, high, now);
    }
    drawArrows(now);
    const units = { value: "value (reward and entropy, discounted)", policy: "arrows: probability of each move; colour: value",
      entropy: "entropy of the policy (nats)", occupancy: "discounted visits from the start" };
    $("scale").textContent = `${units[state.view]}, ${digits(low)} (dark) to ${digits(high)} (light)`;
    drawSettings();
    drawEquation(now);
    drawProgress(now);
    drawTradeoff();
    publish();
  }
  function makeCells(map, height, width) {
    map.dataset.width = width;
    map.style.gridTemplateColumns = `repeat(${width}, minmax(0, 1fr))`;
    map.replaceChildren(...Array.from({ length: height }, (_, r) => {
      const row = document.createElement("div");
      row.setAttribute("role", "row");
      row.append(...Array.from({ length: width }, (_, c) => {
        const cell = document.createElement("div");
        cell.setAttribute("role", "gridcell");
        cell.dataset.row = r;
        cell.dataset.column = c;
        return cell;
      }));
      return row;
    }));
  }
  function drawCell(cell, r, c, values, low, high, now) {
    const character = state.world.rows[r][c], s = stateAt.get(r + "," + c), paid = state.world.cell_reward[r][c];
    const chosen = state.chosen[0] === r && state.chosen[1] === c;
    const names = { "#": "wall", "!": "cliff", S: "start", G: "goal", X: "pit" };
    let name = names[character] || (/[A-Z]/.test(character) ? "portal " + character : "floor");
    cell.className = character === "#" ? "wall" : "";
    if (chosen) cell.classList.add("chosen");
    cell.tabIndex = chosen ? 0 : -1;
    cell.setAttribute("aria-selected", chosen);
    const empty = s === undefined || (mdp.terminal[s] && state.view !== "occupancy");
    const paint = empty ? { fill: character === "G" ? "#0f7b3f" : character === "#" ? "" : "#8d2418", ink: "#ffffff" }
      : colour(high > low ? (values[s] - low) / (high - low) : 0.5);
    cell.style.backgroundColor = paint.fill;
    cell.style.color = paint.ink;
    const sign = paid !== null && !"G X".includes(character) ? (paid > 0 ? "+" : "") + digits(paid, 3) : "";
    cell.textContent = walker && walker.state === s && s !== undefined ? "●" : ("#." .includes(character) || character === " " ? sign : character + (sign && " " + sign));
    if (paid !== null) name += `, reward ${digits(paid)}`;
    if (s !== undefined && !mdp.terminal[s]) {
      const n = mdp.actions, row = [...now.policy.slice(s * n, s * n + n)], best = row.indexOf(Math.max(...row));
      name += `, ${state.view === "policy" ? "value" : state.view} ${digits(values[s])}, likeliest move ${mdp.names[best]} ${digits(row[best], 3)}`;
    }
    cell.setAttribute("aria-label", `row ${r + 1}, column ${c + 1}: ${name}`);
  }
  function drawArrows(now) {
    const svg = $("arrows"), { height, width, actions: n } = mdp, parts = [];
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("preserveAspectRatio", "none");
    const longest = state.view === "policy" ? 0.46 : 0.3;
    for (let s = 0; s < mdp.states && state.view !== "occupancy"; s++) {
      if (mdp.terminal[s]) continue;
      const [r, c] = mdp.cell[s], x = c + 0.5, y = r + 0.55, most = Math.max(...now.policy.slice(s * n, s * n + n));
      for (let a = 0; a < n; a++) {
        const p = now.policy[s * n + a];
        if (p < 0.02 || (state.view !== "policy" && p < 0.999 * most)) continue;
        const size = longest * (state.view === "policy" ? p : 1), norm = Math.hypot(...mdp.moves[a]);
        const dy = size * mdp.moves[a][0] / norm, dx = size * mdp.moves[a][1] / norm, head = Math.min(0.12, 0.5 * size);
        const [ux, uy] = [dx / size, dy / size];
        parts.push(`M${x} ${y}L${x + dx} ${y + dy}M${x + dx - head * (ux + uy)} ${y + dy - head * (uy - ux)}L${x + dx} ${y + dy}L${x + dx - head * (ux - uy)} ${y + dy - head * (uy + ux)}`);
      }
    }
    const path = (stroke, wide) => `<path d="${parts.join("")}" fill="none" stroke="${stroke}" stroke-width="${wide}" stroke-linecap="round"/>`;
    svg.innerHTML = parts.length ? path("#000000", 0.09) + path("#ffffff", 0.045) : "";
  }
  function drawSettings() {
    for (const [id, { read, words }] of Object.entries(SLIDERS)) {
      $(id).value = read();
      $(id + "-out").textContent = words();
      $(id).setAttribute("aria-valuetext", words());
    }
    const alpha = M.balance(mdp), mark = $("mark");
    const at = alpha === null ? -1 : (Math.log10(alpha) - COLDEST + 0.1) / (HOTTEST - COLDEST + 0.1);
    mark.hidden = !(at >= 0 && at <= 1);
    mark.parentElement.parentElement.classList.toggle("marked", !mark.hidden);
    if (!mark.hidden) {
      mark.style.left = `calc(8px + ${at} * (100% - 16px))`;
      mark.textContent = `α_c ${digits(alpha)}`;
      mark.dataset.alpha = alpha;
    }
    for (const [group, chosen] of [["views", state.view], ["tools", state.tool], ["modes", state.mode]]) {
      for (const input of $(group).querySelectorAll("input")) input.checked = input.value === chosen;
    }
    $("paint").hidden = state.tool !== "reward";
    const value = M.fromStart(mdp, solution.v);
    $("summary").textContent = `value of the start ${digits(value, 6)}, error at most ${digits(Math.max(solution.error, 1e-15), 2)}`;
  }
  function drawEquation(now) {
    const [r, c] = state.chosen, s = stateAt.get(r + "," + c), box = $("equation"), t = state.temperature;
    if (s === undefined || mdp.terminal[s]) {
      box.textContent = s === undefined ? "A wall or a cliff is no state." : `row ${r + 1}, column ${c + 1}: the episode ends here, V = 0.`;
      return;
    }
    const n = mdp.actions, lines = [`row ${r + 1}, column ${c + 1}`];
    for (let a = 0; a < n; a++) {
      const row = s * n + a;
      const terms = [...mdp.successors[row]].map((to, i) => `${digits(mdp.probability[row][i], 3)}·${digits(now.v[to])}`);
      lines.push(`Q(${mdp.names[a]}) = ${digits(mdp.reward[row])} + ${digits(mdp.discount)} (${terms.join(" + ")}) = ${digits(now.q[row])}`);
    }
    const next = M.softValue(mdp, now.q, t)[s];
    lines.push(t > 0 ? `new V = ${digits(t)} log Σ exp(Q / ${digits(t)}) = ${digits(next)}` : `new V = max Q = ${digits(next)}`);
    lines.push(`V = ${digits(now.v[s])}, change ${digits(next - now.v[s])}`);
    lines.push("policy " + mdp.names.map((name, a) => `${name} ${digits(now.policy[s * n + a], 3)}`).join("  "));
    box.replaceChildren(...lines.map((line) => Object.assign(document.createElement("div"), { textContent: line })));
  }
  function drawProgress(now) {
    const box = $("progress");
    if (state.mode === "solution") { box.textContent = "The solution itself. Choose an iteration to see how it is reached."; return; }
    const bound = mdp.discount ** state.sweeps * iterate.first;
    const step = state.mode === "value iteration" ? "sweeps from V = 0" : "improvements of the uniform policy";
    box.textContent = `after ${state.sweeps} ${step}: largest error ${digits(now.error)}; the theorem allows ${digits(bound)}`;
  }
  function drawTradeoff() {
    const svg = $("tradeoff"), points = curve.filter((p) => Number.isFinite(p.entropy));
    const here = M.tradeoff(mdp, solution);
    const all = [...points, here], xs = all.map((p) => p.entropy), ys = all.map((p) => p.value);
    const ends = (list) => { const low = Math.min(...list), high = Math.max(...list), pad = (high - low || 1) * 0.06; return [low - pad, high + pad]; };
    const [x0, x1] = ends(xs), [y0, y1] = ends(ys);
    const x = (v) => 58 + 350 * (v - x0) / (x1 - x0), y = (v) => 218 - 200 * (v - y0) / (y1 - y0);
    const line = points.map((p) => `${x(p.entropy).toFixed(1)},${y(p.value).toFixed(1)}`).join(" ");
    const words = `return ${digits(here.value)}, entropy ${digits(here.entropy)} nats at temperature ${digits(state.temperature)}`;
    const ticks = [0.1, 0.5, 0.9].map((share) => {
      const tx = x0 + share * (x1 - x0), ty = y0 + share * (y1 - y0);
      return `<text x="${x(tx)}" y="236" text-anchor="middle">${digits(tx, 3)}</text><text x="52" y="${y(ty) + 4}" text-anchor="end">${digits(ty, 3)}</text>`;
    });
    svg.innerHTML = `<title id="tradeoff-title">Return against discounted entropy: ${words}</title>
      <path class="axis" d="M58 12V218H410"/>${ticks.join("")}
      <text x="234" y="254" text-anchor="middle">entropy (nats, discounted)</text><text x="62" y="12">return (discounted)</text>
      <polyline class="curve" points="${line}"/>${points.map((p) => `<circle class="dot" cx="${x(p.entropy)}" cy="${y(p.value)}" r="2"/>`).join("")}
      <circle class="here" cx="${x(here.entropy)}" cy="${y(here.value)}" r="6"/>`;
    svg.dataset.entropy = here.entropy;
    svg.dataset.value = here.value;
  }
  function publish() {
    const link = packed();
    try { history.replaceState(null, "", "#" + link); } catch { /* embedded: no address of its own */ }
    $("link").value = location.protocol === "about:" ? "#" + link : location.href;
    window.maxentExplorer = { state, mdp, solution, shown: shown(), curve, walker };
  }

  /* ---- walking ---- */
  function draw1(weights) {
    let left = Math.random(), i = 0;
    while (i < weights.length - 1 && left >= weights[i]) { left -= weights[i]; i += 1; }
    return i;
  }
  function stepWalk() {
    if (!walker || walker.over) walker = { state: draw1([...mdp.initial]), steps: 0, earned: 0, over: false };
    else {
      const n = mdp.actions, now = shown(), row = walker.state * n + draw1([...now.policy.slice(walker.state * n, walker.state * n + n)]);
      walker.earned += mdp.discount ** walker.steps * mdp.reward[row];
      walker.state = mdp.successors[row][draw1([...mdp.probability[row]])];
      walker.steps += 1;
    }
    walker.over = mdp.terminal[walker.state] || walker.steps >= 1000;
    $("walked").textContent = `${walker.steps} steps, return so far ${digits(walker.earned)}${walker.over ? ", arrived" : ""}`;
    if (walker.over) stopWalk();
    draw();
  }
  function stopWalk() {
    clearInterval(timer);
    timer = 0;
    $("walk").textContent = "Walk";
  }

  /* ---- acting ---- */
  function act(r, c) {
    state.chosen = [r, c];
    const character = state.world.rows[r][c], plain = character === "." || character === " " || character === "#";
    if (state.tool === "wall" && plain) { put(state.world, r, c, character === "#" ? "." : "#", null); keepOneState(r, c); rebuild(); return; }
    if (state.tool === "reward" && character !== "#" && !/[A-Z]/.test(character.replace(/[SGX]/, ""))) {
      const paid = Number($("cell-reward").value);
      const same = state.world.cell_reward[r][c] === paid;
      put(state.world, r, c, character, same && !"GX!".includes(character) ? null : paid);
      rebuild();
      return;
    }
    draw();
  }
  /* A map of walls alone is no map: the last floor cell stays. */
  function keepOneState(r, c) {
    const made = M.build(state.world);
    if (!made.terminal.some((end) => !end)) put(state.world, r, c, ".", null);
  }
  function focusCell(r, c) {
    const cell = $("map").children[r]?.children[c];
    if (cell) { state.chosen = [r, c]; draw(); cell.focus(); }
  }
  function choices(group, names, key, after) {
    $(group).append(...names.map((name) => {
      const label = document.createElement("label"), input = document.createElement("input");
      label.className = "choice";
      Object.assign(input, { type: "radio", name: group, value: name });
      input.addEventListener("change", () => { state[key] = name; after(); });
      label.append(input, name);
      return label;
    }));
  }
  const knob = (name, low, high, step, label) => ({ label, low, high, step,
    read: () => state.world[name], write: (x) => { state.world[name] = x; rebuild(); }, words: () => digits(state.world[name]) });
  const goalCells = () => state.world.rows.flatMap((row, r) => [...row].flatMap((character, c) => (character === "G" ? [[r, c]] : [])));
  const reach = Math.max(1, Math.abs(given.world.step_reward) * 2);
  const SLIDERS = {
    temperature: { label: "temperature", low: COLDEST - 0.1, high: HOTTEST, step: 0.01,
      read: () => (state.temperature > 0 ? Math.log10(state.temperature) : COLDEST - 0.1),
      write: (x) => { state.temperature = x < COLDEST - 0.05 ? 0 : 10 ** x; resolve(); },
      words: () => (state.temperature > 0 ? digits(state.temperature) : "0") },
    discount: { ...knob("discount", 0, 0.999, 0.001, "discount") },
    slip: { ...knob("slip", 0, 1, 0.01, "slip") },
    step: { ...knob("step_reward", -reach, reach, 0.01, "step reward") },
    goal: { label: "goal reward", low: -10, high: 10, step: 0.1,
      read: () => { const [cell] = goalCells(); return cell ? state.world.cell_reward[cell[0]][cell[1]] : 0; },
      write: (x) => { for (const [r, c] of goalCells()) state.world.cell_reward[r][c] = x; rebuild(); },
      words: () => (goalCells().length ? digits(SLIDERS.goal.read()) : "no goal") },
  };
  function makeSliders() {
    $("sliders").append(...Object.entries(SLIDERS).map(([id, { label, low, high, step, write }]) => {
      const row = document.createElement("div");
      row.className = "slider";
      row.innerHTML = `<label for="${id}">${label}</label><span class="track"><input type="range" id="${id}" min="${low}" max="${high}" step="${step}">${id === "temperature" ? '<button type="button" id="mark" hidden></button>' : ""}</span><output for="${id}" id="${id}-out"></output>`;
      row.querySelector("input").addEventListener("input", (event) => write(Number(event.target.value)));
      return row;
    }));
    $("mark").addEventListener("click", () => { state.temperature = Number($("mark").dataset.alpha); resolve(); });
    $("goal").disabled = !goalCells().length;
  }
  function listen() {
    $("map").addEventListener("click", (event) => {
      const cell = event.target.closest("[role=gridcell]");
      if (cell) act(Number(cell.dataset.row), Number(cell.dataset.column));
    });
    $("map").addEventListener("keydown", (event) => {
      const cell = event.target.closest("[role=gridcell]");
      if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
      const [r, c] = [Number(cell.dataset.row), Number(cell.dataset.column)];
      const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (move) focusCell(r + move[0], c + move[1]);
      else if (event.key === "Enter" || event.key === " ") act(r, c);
      else if (event.key === "w") { const tool = state.tool; state.tool = "wall"; act(r, c); state.tool = tool; draw(); }
      else return;
      event.preventDefault();
      $("map").children[state.chosen[0]].children[state.chosen[1]].focus();
    });
    $("sweep").addEventListener("click", () => { if (state.mode === "solution") state.mode = "value iteration"; else state.sweeps += 1; draw(); });
    $("restart").addEventListener("click", () => { state.sweeps = 0; draw(); });
    $("step-walk").addEventListener("click", stepWalk);
    $("walk").addEventListener("click", () => {
      if (timer) { stopWalk(); return; }
      $("walk").textContent = "Stop";
      timer = setInterval(stepWalk, matchMedia("(prefers-reduced-motion: reduce)").matches ? 1000 : 250);
      stepWalk();
    });
    $("reset").addEventListener("click", () => { state = fresh(); rebuild(); });
    $("theme").addEventListener("click", () => setTheme(!document.documentElement.classList.contains("dark")));
    $("link").addEventListener("focus", (event) => event.target.select());
    window.addEventListener("hashchange", () => { state = unpacked(location.hash.slice(1)); rebuild(); });
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", () => setTheme(system.matches));
    setTheme(system.matches);
  }
  function setTheme(dark) {
    document.documentElement.classList.toggle("dark", dark);
    $("theme").textContent = dark ? "Light" : "Dark";
  }

  choices("views", VIEWS, "view", draw);
  choices("tools", TOOLS, "tool", draw);
  choices("modes", MODES, "mode", () => { state.sweeps = 0; draw(); });
  makeSliders();
  listen();
  state = unpacked(location.hash.slice(1));
  rebuild();
})();

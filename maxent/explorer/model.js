"use strict";
/* The gridworld and its soft solution, as maxent.gridworld and maxent.solve have them.

   A world: { rows: [text], cell_reward: [[number or null]], slip, moves, wind: [cells per column],
   step_reward, bump_reward, goals, discount }.  Pure functions; arrays are Float64Array by state,
   or by state * actions + action. */
const MaxentModel = (() => {
  const WALL = -1, CLIFF = -2, RESTART = -1;
  const EIGHT = [[-1, 0], [-1, 1], [0, 1], [1, 1], [1, 0], [1, -1], [0, -1], [-1, -1]];
  const NAMES = ["up", "up-right", "right", "down-right", "down", "down-left", "left", "up-left"];
  const isPortal = (character) => /[A-Z]/.test(character) && !"SGX".includes(character);

  /* States row by row, where each action leads with which probability and what it pays. */
  function build(world) {
    const height = world.rows.length, width = world.rows[0].length, wide = width + 2;
    const moves = EIGHT.filter((_, i) => world.moves === 8 || i % 2 === 0);
    const names = NAMES.filter((_, i) => world.moves === 8 || i % 2 === 0);
    const number = new Int32Array((height + 2) * wide).fill(WALL);
    const named = new Float64Array(number.length).fill(NaN);
    const kind = [], place = [];
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const character = world.rows[row][column], at = (row + 1) * wide + column + 1;
        const paid = world.cell_reward[row][column];
        if (paid !== null) named[at] = paid;
        if (character === "#") continue;
        if (character === "!") { number[at] = CLIFF; continue; }
        number[at] = kind.length;
        kind.push(character);
        place.push(at);
      }
    }
    const states = kind.length;
    const terminal = kind.map((c) => c === "X" || (c === "G" && world.goals === "terminal"));
    const instead = (at) => (Number.isNaN(named[at]) ? 0 : named[at] - world.step_reward);
    const worth = (at) => {
      if (number[at] === CLIFF) return instead(at);
      if (number[at] >= 0 && isPortal(kind[number[at]])) return 0;
      return Number.isNaN(named[at]) ? 0 : named[at];
    };
    const outcome = (state, direction) => {
      const here = place[state], character = kind[state];
      if (isPortal(character)) {
        const exit = kind.indexOf(character.toLowerCase());
        return [exit, instead(here) + worth(place[exit])];
      }
      if (character === "G" && world.goals === "absorbing") return [state, -world.step_reward];
      if (character === "G" && world.goals === "restart") return [RESTART, 0];
      let there = here + moves[direction][0] * wide + moves[direction][1];
      const bump = number[there] === WALL;
      if (bump) there = here;
      const wind = world.wind[(here % wide) - 1];
      for (let lifted = 0; lifted < wind && number[there - wide] !== WALL; lifted++) there -= wide;
      const paid = (there === here ? 0 : worth(there)) + (bump ? world.bump_reward : 0);
      return [number[there] === CLIFF ? RESTART : number[there], paid];
    };
    let starts = kind.map((c, s) => (c === "S" ? s : -1)).filter((s) => s >= 0);
    if (!starts.length) starts = kind.map((_, s) => s).filter((s) => !terminal[s]);
    const actions = moves.length;
    const turns = [[0, 1 - world.slip], [-1, world.slip / 2], [1, world.slip / 2]]
      .filter((turn) => turn[1] > 0);
    const successors = [], probability = [], reward = new Float64Array(states * actions);
    for (let state = 0; state < states; state++) {
      for (let action = 0; action < actions; action++) {
        const found = new Map();
        if (!terminal[state]) {
          for (const [turn, share] of turns) {
            const [to, paid] = outcome(state, (action + turn + actions) % actions);
            reward[state * actions + action] += share * (paid + world.step_reward);
            const ends = to === RESTART ? starts : [to];
            for (const end of ends) found.set(end, (found.get(end) || 0) + share / ends.length);
          }
        }
        successors.push(Int32Array.from(found.keys()));
        probability.push(Float64Array.from(found.values()));
      }
    }
    const initial = new Float64Array(states);
    starts.forEach((s) => { initial[s] = 1 / starts.length; });
    const cell = place.map((at) => [Math.floor(at / wide) - 1, (at % wide) - 1]);
    return { states, actions, names, moves, kind, cell, terminal, successors, probability, reward,
             initial, discount: world.discount, height, width };
  }

  /* q = r + discount * E v, (S * A). */
  function backup(mdp, v) {
    const q = new Float64Array(mdp.reward);
    for (let row = 0; row < q.length; row++) {
      const to = mdp.successors[row], p = mdp.probability[row];
      let mean = 0;
      for (let i = 0; i < to.length; i++) mean += p[i] * v[to[i]];
      q[row] += mdp.discount * mean;
    }
    return q;
  }

  /* The soft maximum over actions, in each state: temperature * log sum exp(q / temperature). */
  function softValue(mdp, q, temperature) {
    const v = new Float64Array(mdp.states), n = mdp.actions;
    for (let s = 0; s < mdp.states; s++) {
      if (mdp.terminal[s]) continue;
      let most = -Infinity, sum = 0;
      for (let a = 0; a < n; a++) most = Math.max(most, q[s * n + a]);
      if (temperature > 0) {
        for (let a = 0; a < n; a++) sum += Math.exp((q[s * n + a] - most) / temperature);
      }
      v[s] = temperature > 0 ? most + temperature * Math.log(sum) : most;
    }
    return v;
  }

  /* The Boltzmann policy of q; at temperature 0 uniform over what is within `ties` of the best. */
  function boltzmann(mdp, q, temperature, ties = 0) {
    const policy = new Float64Array(q.length), n = mdp.actions;
    for (let s = 0; s < mdp.states; s++) {
      let most = -Infinity, sum = 0;
      for (let a = 0; a < n; a++) most = Math.max(most, q[s * n + a]);
      for (let a = 0; a < n; a++) {
        const below = q[s * n + a] - most;
        const weight = temperature > 0 ? Math.exp(below / temperature) : +(below >= -ties);
        policy[s * n + a] = mdp.terminal[s] ? 1 : weight;
        sum += policy[s * n + a];
      }
      for (let a = 0; a < n; a++) policy[s * n + a] /= sum;
    }
    return policy;
  }

  /* Entropy of each state's row, in nats; 0 at terminal states. */
  function entropy(mdp, policy) {
    const h = new Float64Array(mdp.states), n = mdp.actions;
    for (let s = 0; s < mdp.states; s++) {
      if (mdp.terminal[s]) continue;
      for (let a = 0; a < n; a++) {
        const p = policy[s * n + a];
        if (p > 0) h[s] -= p * Math.log(p);
      }
    }
    return h;
  }

  /* What a policy collects of `paid` (S), discounted: x = paid + discount * P x, by Gauss-Seidel
     sweeps both ways, until what is left cannot change x by more than `tolerance`. */
  function collect(mdp, policy, paid, start, tolerance, sweeps = 200000) {
    const n = mdp.actions, x = Float64Array.from(start);
    const to = [], share = [];
    for (let s = 0; s < mdp.states; s++) {
      const found = new Map();
      for (let a = 0; a < n && !mdp.terminal[s]; a++) {
        const row = s * n + a;
        mdp.successors[row].forEach((end, i) => {
          found.set(end, (found.get(end) || 0) + policy[row] * mdp.probability[row][i]);
        });
      }
      to.push(Int32Array.from(found.keys()));
      share.push(Float64Array.from(found.values()));
    }
    const enough = tolerance * (1 - mdp.discount);
    for (let sweep = 0; sweep < sweeps; sweep++) {
      let change = 0;
      for (let i = 0; i < mdp.states; i++) {
        const s = sweep % 2 ? mdp.states - 1 - i : i;
        if (mdp.terminal[s]) continue;
        let mean = 0, own = 0;
        for (let j = 0; j < to[s].length; j++) {
          if (to[s][j] === s) own = share[s][j]; else mean += share[s][j] * x[to[s][j]];
        }
        const next = (paid[s] + mdp.discount * mean) / (1 - mdp.discount * own);
        change = Math.max(change, Math.abs(next - x[s]));
        x[s] = next;
      }
      if (change <= enough) break;
    }
    return x;
  }

  /* Reward and, times the temperature, entropy of a step under a policy, (S). */
  function earned(mdp, policy, temperature) {
    const h = entropy(mdp, policy), n = mdp.actions;
    return h.map((nats, s) => {
      if (mdp.terminal[s]) return 0;
      let mean = 0;
      for (let a = 0; a < n; a++) mean += policy[s * n + a] * mdp.reward[s * n + a];
      return mean + temperature * nats;
    });
  }

  const distance = (a, b) => a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0);
  const largest = (a) => a.reduce((most, x) => Math.max(most, Math.abs(x)), 1);

  /* The soft-optimal solution: modified policy iteration, then certified by a last sweep. */
  function solve(mdp, temperature, start = null, accuracy = 1e-11) {
    let v = start && start.length === mdp.states ? start : new Float64Array(mdp.states);
    let q = backup(mdp, v), error = Infinity, iterations = 0, best = Infinity, since = 0;
    for (; iterations < 2000; iterations++) {
      const next = softValue(mdp, q, temperature);
      error = distance(next, v) / (1 - mdp.discount);
      if (error < best) { best = error; since = 0; } else { since += 1; }
      if (error <= accuracy * largest(next) || since > 40) break;
      const policy = boltzmann(mdp, q, temperature);
      const sweeps = temperature > 0 ? 400 : 40;
      v = collect(mdp, policy, earned(mdp, policy, temperature), next, 0.1 * accuracy, sweeps);
      q = backup(mdp, v);
    }
    v = softValue(mdp, q, temperature);
    const ties = 2 * mdp.discount * error + 1e-12 * largest(v);
    const policy = boltzmann(mdp, q, temperature, ties);
    return { v, q, policy, temperature, error, iterations };
  }

  /* Exact policy evaluation: the soft value of a policy, (S). */
  function evaluate(mdp, policy, temperature, start = null) {
    const from = start || new Float64Array(mdp.states);
    return collect(mdp, policy, earned(mdp, policy, temperature), from, 1e-13);
  }

  /* Discounted visits of each state from the start, (S); a terminal state counts its arrivals. */
  function occupancy(mdp, policy) {
    const n = mdp.actions, visits = new Float64Array(mdp.states);
    let flow = Float64Array.from(mdp.initial);
    for (let step = 0; step < 100000; step++) {
      let left = 0;
      const next = new Float64Array(mdp.states);
      for (let s = 0; s < mdp.states; s++) {
        visits[s] += flow[s];
        if (mdp.terminal[s] || flow[s] < 1e-300) continue;
        left += flow[s];
        for (let a = 0; a < n; a++) {
          const row = s * n + a, weight = mdp.discount * flow[s] * policy[row];
          mdp.successors[row].forEach((end, i) => { next[end] += weight * mdp.probability[row][i]; });
        }
      }
      if (left < 1e-12 * (1 - mdp.discount)) break;
      flow = next;
    }
    return visits;
  }

  const fromStart = (mdp, x) => x.reduce((sum, each, s) => sum + mdp.initial[s] * each, 0);

  /* Return and entropy of a solution, discounted, from the start: a point of the trade-off. */
  function tradeoff(mdp, solution) {
    const nothing = new Float64Array(mdp.states);
    const h = fromStart(mdp, collect(mdp, solution.policy, entropy(mdp, solution.policy), nothing, 1e-11));
    const gain = collect(mdp, solution.policy, earned(mdp, solution.policy, 0), nothing, 1e-11);
    return { temperature: solution.temperature, entropy: h, value: fromStart(mdp, gain) };
  }

  /* alpha_c (BALANCE): where leaving and staying are worth the same; null where the rewards are
     not one pay a step and one on arrival in a terminal state. */
  function balance(mdp) {
    const pairs = [];
    for (let row = 0; row < mdp.reward.length; row++) {
      if (mdp.terminal[Math.floor(row / mdp.actions)]) continue;
      let ends = 0;
      mdp.successors[row].forEach((s, i) => { if (mdp.terminal[s]) ends += mdp.probability[row][i]; });
      pairs.push([ends, mdp.reward[row]]);
    }
    if (!pairs.length) return null;
    const low = pairs.reduce((a, b) => (b[0] < a[0] ? b : a));
    const high = pairs.reduce((a, b) => (b[0] > a[0] ? b : a));
    if (high[0] - low[0] < 1e-9) return null;
    const g = (high[1] - low[1]) / (high[0] - low[0]), c = low[1] - g * low[0];
    const size = pairs.reduce((most, pair) => Math.max(most, Math.abs(pair[1])), 0);
    if (pairs.some(([ends, r]) => Math.abs(r - c - g * ends) > 1e-9 * size)) return null;
    const alpha = (g / mdp.discount - g - c) / Math.log(mdp.actions);
    return alpha > 0 ? alpha : null;
  }

  return { build, backup, softValue, boltzmann, entropy, evaluate, solve, occupancy, tradeoff,
           balance, distance, fromStart };
})();

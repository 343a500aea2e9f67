// Random numbers as torch draws them on a CPU: the same seed gives the same draws.

const SIZE = 624, SHIFT = 397;

// Mersenne twister; a function that gives 32 random bits a call.
function twister(seed) {
  const state = new Uint32Array(SIZE);
  state[0] = seed;
  for (let i = 1; i < SIZE; i++) {
    state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  }
  let at = SIZE;
  const renew = () => {
    for (let i = 0; i < SIZE; i++) {
      const bits = (state[i] & 0x80000000) | (state[(i + 1) % SIZE] & 0x7fffffff);
      state[i] = state[(i + SHIFT) % SIZE] ^ (bits >>> 1) ^ (bits & 1 ? 0x9908b0df : 0);
    }
    at = 0;
  };
  return () => {
    if (at === SIZE) renew();
    let bits = state[at++];
    bits ^= bits >>> 11;
    bits ^= (bits << 7) & 0x9d2c5680;
    bits ^= (bits << 15) & 0xefc60000;
    return (bits ^ (bits >>> 18)) >>> 0;
  };
}

// torch.randn in float32 of `count` >= 16 numbers, to the last digits.
export function normals(count, seed) {
  const bits = twister(seed), uniform = () => (bits() & 0xffffff) / 0x1000000;
  const numbers = Float32Array.from({length: count}, uniform);
  for (let start = 0; start + 16 <= count; start += 16) pairs(numbers, start);
  if (count % 16) {
    for (let i = count - 16; i < count; i++) numbers[i] = uniform();
    pairs(numbers, count - 16);
  }
  return numbers;
}

// Box and Muller, eight pairs.
function pairs(numbers, start) {
  for (let i = start; i < start + 8; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - numbers[i])), angle = 2 * Math.PI * numbers[i + 8];
    numbers[i] = radius * Math.cos(angle);
    numbers[i + 8] = radius * Math.sin(angle);
  }
}

// torch.rand in float64: 53 bits, the upper ones first.
export function uniforms(count, seed) {
  const bits = twister(seed);
  return Float64Array.from({length: count}, () => ((bits() & 0x1fffff) * 2 ** 32 + bits()) / 2 ** 53);
}

// As sampling.Sampler: the item of each point, drawn with probability ~ weight.
export function drawn(points, weight) {
  let total = 0;
  const sums = weight.map(each => (total += each)).map(each => each / total), last = sums.length - 1;
  // From where to look on for the points of each of some thousand equal parts of 0 to 1.
  const starts = new Int32Array(4096);
  for (let part = 1, item = 0; part < starts.length; part++) {
    while (item < last && sums[item] <= part / starts.length) item++;
    starts[part] = item;
  }
  const found = new Int32Array(points.length);
  for (let i = 0; i < points.length; i++) {
    let item = starts[Math.floor(points[i] * starts.length)];
    while (item < last && sums[item] <= points[i]) item++;
    found[i] = item;
  }
  return found;
}

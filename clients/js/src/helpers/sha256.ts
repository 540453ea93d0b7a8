// SHA-256 (FIPS 180-4) of a text, without waiting: `crypto.subtle` is asynchronous, and pages without https have none.
const kRounds = 64;

/** The first bits of the fractional parts of a root of the first primes: the constants of the algorithm. */
const fractions = (root: (prime: number) => number, count: number): number[] => {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; ++n) if (primes.every((prime) => n % prime)) primes.push(n);
  return primes.map((prime) => root(prime) % 1 * 0x1_0000_0000 | 0);
};

/** 32 bytes. */
export function sha256(text: string): number[] {
  const bytes = [...new TextEncoder().encode(text), 0x80];
  const bits = bytes.length * 8 - 8;
  while (bytes.length % 64 !== 56) bytes.push(0);
  bytes.push(0, 0, 0, 0, bits >>> 24, bits >>> 16 & 255, bits >>> 8 & 255, bits & 255);
  const constants = fractions(Math.cbrt, kRounds);
  let state = fractions(Math.sqrt, 8);
  const rotate = (word: number, by: number) => word >>> by | word << 32 - by;
  const words: number[] = [];
  const at = (index: number) => words[index] as number;
  for (let block = 0; block < bytes.length; block += 64) {
    let [a, b, c, d, e, f, g, h] = state as [number, number, number, number, number, number, number, number];
    for (let i = 0; i < kRounds; ++i) {
      const [x, y] = [at(i - 15), at(i - 2)];
      words[i] = i < 16
        ? bytes.slice(block + i * 4, block + i * 4 + 4).reduce((word, byte) => word << 8 | byte)
        : (rotate(x, 7) ^ rotate(x, 18) ^ x >>> 3) + at(i - 16) + at(i - 7) +
          (rotate(y, 17) ^ rotate(y, 19) ^ y >>> 10) | 0;
      const first = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (e & f ^ ~e & g) +
        (constants[i] as number) + at(i) | 0;
      const second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + (a & b ^ a & c ^ b & c);
      [a, b, c, d, e, f, g, h] = [first + second | 0, a, b, c, d + first | 0, e, f, g];
    }
    state = [a, b, c, d, e, f, g, h].map((word, i) => word + (state[i] as number) | 0);
  }
  return state.flatMap((word) => [24, 16, 8, 0].map((by) => word >>> by & 255));
}

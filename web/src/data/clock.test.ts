import { expect, test } from 'vitest';
import { bestOf, haveParted } from './clock';

const sample = (roundTrip: number) => ({ hubMs: 1000, at: 50, roundTrip, wall: 5000 });

test('the sample with the shortest round trip counts', () => {
  expect(bestOf([sample(30), sample(4), sample(80)])?.roundTrip).toBe(4);
  expect(bestOf([])).toBeUndefined();
});

test('a clock that was set, or a device that slept, makes the hub be asked again', () => {
  expect(haveParted(sample(1), 5000 + 60_000, 50 + 60_000)).toBe(false);
  expect(haveParted(sample(1), 5000 + 60_000 - 7_200_000, 50 + 60_000)).toBe(true);
  expect(haveParted(sample(1), 5000 + 3_600_000, 50 + 10_000)).toBe(true);
});

// What a screen shows of the hub: the previous data stay while new ones load, and an error stands in their place only if
// there are none.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useRef } from 'preact/hooks';
import { call, Problem } from '../data/api';
import { returns } from '../data/connection';
import { ErrorPanel } from '../kit/error_panel';
import { t } from '../text';

export interface Resource<T> {
  data: T | undefined;
  problem: Problem | undefined;
  isLoading: boolean;
  reload: () => Promise<void>;
}

/** Fetches `path` now, and again when the hub is back after a silence. */
export function useResource<T>(path: string): Resource<T> {
  const state = useSignal<{ data?: T; problem?: Problem; isLoading: boolean }>({ isLoading: true });
  const aborter = useRef<AbortController | null>(null);
  const reload = useCallback(async () => {
    aborter.current?.abort();
    const mine = aborter.current = new AbortController();
    state.value = { ...state.value, isLoading: true };
    try {
      state.value = { data: await call<T>('GET', path, undefined, { signal: mine.signal }), isLoading: false };
    } catch (error) {
      if (mine.signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      state.value = { ...state.value, problem: error, isLoading: false };
    }
  }, [path]);
  const back = returns.value;
  useEffect(() => {
    void reload();
    return () => aborter.current?.abort();
  }, [reload, back]);
  const { data, problem, isLoading } = state.value;
  return { data, problem, isLoading, reload };
}

interface LoadedProps<T> { of: Resource<T>; children: (data: T) => ComponentChildren }

export function Loaded<T>({ of: { data, problem, isLoading, reload }, children }: LoadedProps<T>) {
  return (
    <>
      {problem && <ErrorPanel problem={problem} onRetry={() => void reload()} />}
      {data !== undefined ? children(data) : isLoading && <p class="muted" role="status">{t.loading}</p>}
    </>
  );
}

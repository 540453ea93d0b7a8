// A form with plain inputs: what is typed is kept until it is sent, also over a reload, and what the hub finds wrong
// stands beside its field.
import { signal, type Signal } from '@preact/signals';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { Problem } from '../data/api';

/** The fields of a form, and those of them that are never kept. */
export interface FormOptions<Name extends string> {
  /** Of its draft in sessionStorage; without one nothing is kept. */
  draft?: string;
  secrets?: readonly Name[];
  /** What is wrong before anything is sent. */
  check?: (values: Record<Name, string>) => Partial<Record<Name, string>>;
  /** A Problem that it throws is shown. */
  send: (values: Record<Name, string>) => Promise<void>;
}

export interface Form<Name extends string> {
  isBusy: Signal<boolean>;
  /** What concerns no field. */
  problem: Signal<Problem | null>;
  errors: Signal<Partial<Record<Name, string>>>;
  /** For the <form>. */
  props: { ref: (node: HTMLFormElement | null) => void; noValidate: true; onInput: (event: Event) => void;
    onSubmit: (event: Event) => void };
  /** For a Field. */
  field: (name: Name) => { name: Name; error: string | undefined };
}

const keyOf = (draft: string): string => `draft:${draft}`;

export function useForm<Name extends string>(names: readonly Name[], options: FormOptions<Name>): Form<Name> {
  const latest = useRef(options);
  latest.current = options;
  const form = useMemo(() => makeForm(names, latest), []);
  useLayoutEffect(() => form.restore(), []);  // before the empty form is seen
  return form;
}

function makeForm<Name extends string>(names: readonly Name[], options: { current: FormOptions<Name> }) {
  const isBusy = signal(false);
  const problem = signal<Problem | null>(null);
  const errors = signal<Partial<Record<Name, string>>>({});
  let node: HTMLFormElement | null = null;

  const values = (): Record<Name, string> => {
    const data = new FormData(node!);
    return Object.fromEntries(names.map((name) => [name, String(data.get(name) ?? '')])) as Record<Name, string>;
  };
  const draftOf = () => Object.fromEntries(Object.entries(values()).filter(([name]) => !options.current.secrets?.includes(name as Name)));
  const control = (name: string) => node?.elements.namedItem(name) as HTMLInputElement | null;
  const showErrors = (found: Partial<Record<Name, string>>): boolean => {
    errors.value = found;
    const first = names.find((name) => found[name] !== undefined);
    if (first !== undefined) control(first)?.focus();
    return first !== undefined;
  };

  async function submit(): Promise<void> {
    if (isBusy.value) return;
    problem.value = null;
    const sent = values();
    if (showErrors(options.current.check?.(sent) ?? {})) return;
    isBusy.value = true;
    try {
      await options.current.send(sent);
      if (options.current.draft !== undefined) sessionStorage.removeItem(keyOf(options.current.draft));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const found: Partial<Record<Name, string>> = {};
      for (const one of error.body.errors ?? []) {
        const name = names.find((known) => one.pointer === `/${known}`);
        if (name !== undefined) found[name] = one.detail;
      }
      if (!showErrors(found)) problem.value = error;
    } finally {
      isBusy.value = false;
    }
  }

  return {
    isBusy, problem, errors,
    props: {
      ref: (form: HTMLFormElement | null) => { node = form; },
      noValidate: true as const,
      onInput: (event: Event) => {
        const { name } = event.target as HTMLInputElement;
        if (name in errors.value) errors.value = { ...errors.value, [name]: undefined };
        if (options.current.draft !== undefined) sessionStorage.setItem(keyOf(options.current.draft), JSON.stringify(draftOf()));
      },
      onSubmit: (event: Event) => {
        event.preventDefault();
        void submit();
      },
    },
    field: (name: Name) => ({ name, error: errors.value[name] }),
    restore: () => {
      const kept = options.current.draft === undefined ? null : sessionStorage.getItem(keyOf(options.current.draft));
      for (const [name, value] of Object.entries(JSON.parse(kept ?? '{}') as Record<string, string>)) {
        const input = control(name);
        if (input && !options.current.secrets?.includes(name as Name)) input.value = value;
      }
    },
  };
}

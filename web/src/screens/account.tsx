import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { AddPasskey } from './add_passkey';
import { Pairing } from './pairing';
import { call, Problem } from '../data/api';
import { now, second } from '../data/clock';
import type { Passkey } from '../data/passkey';
import { session } from '../data/session';
import { blockedOffline } from '../frame/offline';
import { Loaded, useResource, type Resource } from '../frame/resource';
import { Button } from '../kit/button';
import { Dialog } from '../kit/dialog';
import { ErrorPanel } from '../kit/error_panel';
import { StateChip } from '../kit/state_chip';
import { offerUndo } from '../kit/undo_bar';
import { foreign, shortTime } from '../text/format';
import { t } from '../text';

interface OwnSession {
  id: string;
  label: string;
  user_agent: string | null;
  address: string | null;
  created_at: string;
  last_used_at: string | null;
  expires_at: string | null;
  current: boolean;
}

interface Question { title: string; detail: string; verb: string; act: () => Promise<void> }

function Time({ at }: { at: string | null }) {
  void second.value;  // "12 s ago" moves
  if (at === null) return <>{t.never}</>;
  return <time dateTime={at} title={at}>{shortTime(Date.parse(at), now())}</time>;
}

/** Asks before something that cannot be undone; the button says what happens. */
function Ask({ question, onClose }: { question: Question; onClose: () => void }) {
  const isBusy = useSignal(false);
  const problem = useSignal<Problem | null>(null);
  const act = async () => {
    isBusy.value = true;
    try {
      await question.act();
      onClose();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      problem.value = error;
    } finally {
      isBusy.value = false;
    }
  };
  return (
    <Dialog title={question.title} onClose={onClose}>
      <div class="stack">
        {question.detail && <p>{question.detail}</p>}
        {problem.value && <ErrorPanel problem={problem.value} onRetry={() => void act()} />}
      </div>
      <div class="dialog-actions">
        <Button onClick={onClose}>{t.cancel}</Button>
        <Button kind="danger" isBusy={isBusy.value} blocked={blockedOffline()} onClick={() => void act()}>{question.verb}</Button>
      </div>
    </Dialog>
  );
}

function Rows({ head, children }: { head: readonly string[]; children: ComponentChildren }) {
  return (
    <table class="table rows">
      <thead><tr>{head.map((words) => <th key={words} scope="col">{words}</th>)}</tr></thead>
      <tbody>{children}</tbody>
    </table>
  );
}

type AskFor = (question: Question) => void;

function Passkeys({ list, ask }: { list: Resource<{ passkeys: Passkey[] }>; ask: AskFor }) {
  const isAdding = useSignal(false);
  const remove = ({ id, label }: Passkey) => ask({ title: t.account.removePasskeyTitle(foreign(label)),
    detail: t.account.removePasskeyDetail, verb: t.account.removePasskey,
    act: async () => {
      await call('DELETE', `/v1/passkeys/${encodeURIComponent(id)}`);
      await list.reload();
    } });
  return (
    <section class="stack" aria-labelledby="passkeys">
      <div class="line apart">
        <h2 id="passkeys">{t.account.passkeys}</h2>
        <Button icon="plus" blocked={blockedOffline()} onClick={() => { isAdding.value = true; }}>{t.account.addPasskey}</Button>
      </div>
      <Loaded of={list}>
        {({ passkeys }) => (passkeys.length === 0 ? <p class="muted">{t.account.noPasskeys}</p> : (
          <Rows head={[t.account.name, t.account.added, t.account.lastUsed, t.account.actions]}>
            {passkeys.map((one) => (
              <tr key={one.id}>
                <td>{foreign(one.label)}</td><td><Time at={one.created_at} /></td><td><Time at={one.last_used_at} /></td>
                <td><Button icon="trash" blocked={blockedOffline()} aria-label={`${t.account.removePasskey}: ${foreign(one.label)}`}
                  onClick={() => remove(one)}>{t.account.removePasskey}</Button></td>
              </tr>
            ))}
          </Rows>
        ))}
      </Loaded>
      {isAdding.value && (
        <Dialog title={t.account.addPasskey} onClose={() => { isAdding.value = false; }}>
          <div class="stack">
            <p>{t.setup.passkeyWhy}</p>
            <AddPasskey onAdded={(passkey) => {
              isAdding.value = false;
              offerUndo({ says: t.account.passkeyAdded(foreign(passkey.label)), undo: async () => {
                await call('DELETE', `/v1/passkeys/${encodeURIComponent(passkey.id)}`);
                await list.reload();
              } });
              void list.reload();
            }} />
          </div>
        </Dialog>
      )}
    </section>
  );
}

function Sessions({ list, ask }: { list: Resource<{ sessions: OwnSession[] }>; ask: AskFor }) {
  const isPairing = useSignal(false);
  const end = ({ id, label }: OwnSession) => ask({ title: t.account.endTitle(foreign(label)), detail: t.account.endDetail,
    verb: t.account.end, act: async () => {
      await call('DELETE', `/v1/sessions/${encodeURIComponent(id)}`);
      await list.reload();
    } });
  const endOthers = () => ask({ title: t.account.endOthersTitle, detail: t.account.endDetail, verb: t.account.endOthers,
    act: async () => {
      const { ended } = await call<{ ended: number }>('POST', '/v1/sessions/end-others', {});
      offerUndo({ says: t.account.ended(ended) });
      await list.reload();
    } });
  return (
    <section class="stack" aria-labelledby="sessions">
      <div class="line apart">
        <h2 id="sessions">{t.account.sessions}</h2>
        <div class="line">
          <Button icon="plus" blocked={blockedOffline()} onClick={() => { isPairing.value = true; }}>{t.pairing.title}</Button>
          <Button icon="leave" blocked={blockedOffline()} onClick={endOthers}>{t.account.endOthers}</Button>
        </div>
      </div>
      <Loaded of={list}>
        {({ sessions }) => (sessions.length === 0 ? <p class="muted">{t.account.noSessions}</p> : (
          <Rows head={[t.account.device, t.account.address, t.account.began, t.account.lastUsed, t.account.actions]}>
            {sessions.map((one) => (
              <tr key={one.id}>
                <td title={foreign(one.user_agent ?? '')}>{foreign(one.label)}</td>
                <td>{foreign(one.address ?? '–')}</td>
                <td><Time at={one.created_at} /></td>
                <td><Time at={one.last_used_at} /></td>
                <td>{one.current ? <StateChip tone="ok" icon="current" word={t.account.current} /> : (
                  <Button icon="leave" blocked={blockedOffline()} aria-label={`${t.account.end}: ${foreign(one.label)}`}
                    onClick={() => end(one)}>{t.account.end}</Button>
                )}</td>
              </tr>
            ))}
          </Rows>
        ))}
      </Loaded>
      {isPairing.value && (
        <Dialog title={t.pairing.title} onClose={() => { isPairing.value = false; }}>
          <Pairing onChange={() => void list.reload()} />
        </Dialog>
      )}
    </section>
  );
}

function OwnAccess() {
  const passkeys = useResource<{ passkeys: Passkey[] }>('/v1/passkeys');
  const sessions = useResource<{ sessions: OwnSession[] }>('/v1/sessions');
  const question = useSignal<Question | null>(null);
  const ask: AskFor = (one) => { question.value = one; };
  return (
    <>
      <Passkeys list={passkeys} ask={ask} />
      <Sessions list={sessions} ask={ask} />
      {question.value && <Ask question={question.value} onClose={() => { question.value = null; }} />}
    </>
  );
}

export default function Account() {
  const who = session.value!;
  return (
    <div class="screen">
      <h1 tabIndex={-1}>{t.account.title}</h1>
      <section class="stack" aria-labelledby="you">
        <h2 id="you">{t.account.you}</h2>
        <p>{t.session.signedInAs(who.account)} · {t.account.role[who.role] ?? who.role}</p>
        <p class="muted">{t.account.may(who.scopes.map((one) => t.scopes[one] ?? one).join(', '))}</p>
      </section>
      {who.scopes.includes('keys') ? <OwnAccess /> : <p>{t.account.noRight}</p>}
    </div>
  );
}

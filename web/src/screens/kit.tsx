// Every component as it looks and works: for people who work on the console, and for the tests that check each of them.
import { useSignal } from '@preact/signals';
import { ThemeMenu } from '../frame/frame';
import { Banner } from '../kit/banner';
import { Button } from '../kit/button';
import { Chart } from '../kit/chart';
import { Copyable } from '../kit/copyable';
import { Dialog, Sheet } from '../kit/dialog';
import { Diff } from '../kit/diff';
import { ErrorPanel } from '../kit/error_panel';
import { Field } from '../kit/field';
import { Grid, type Column } from '../kit/grid';
import { Menu } from '../kit/menu';
import { Combobox, Select } from '../kit/select';
import { StateChip } from '../kit/state_chip';
import { Switch } from '../kit/switch';
import { Tabs } from '../kit/tabs';
import { offerUndo, UndoBar } from '../kit/undo_bar';
import { Problem } from '../data/api';
import type { Tone } from '../sync/sentence';
import { t } from '../text';

interface Row { id: number; name: string; state: string }

const rows: Row[] = Array.from({ length: 12_000 }, (_, id) => ({ id, name: `Record ${id}`, state: id % 7 === 0 ? 'waiting' : 'current' }));
const columns: Column<Row>[] = [
  { id: 'id', label: 'Number', width: '6rem', cell: (row) => row.id },
  { id: 'name', label: 'Name', width: 'minmax(8rem, 1fr)', cell: (row) => row.name },
  { id: 'state', label: 'State', width: '8rem', cell: (row) => row.state },
];
const problem = new Problem({ status: 422, code: 'invalid_argument', title: 'Unprocessable Content', request_id: 'req-1',
  detail: 'the label has a direction mark: \u202Egnirts' });
const places = ['Graz', 'Linz', 'Salzburg', 'Wien', 'Zürich'].map((label) => ({ value: label.toLowerCase(), label }));
const tones: Tone[] = ['ok', 'warn', 'bad', 'info', 'paused'];

export default function Kit() {
  const isDialogOpen = useSignal(false);
  const isSheetOpen = useSignal(false);
  const isOn = useSignal(true);
  const tab = useSignal('first');
  const opened = useSignal('');
  return (
    <main class="main kit screen">
      <div class="line apart"><h1 tabIndex={-1}>{t.kit.title}</h1><ThemeMenu /></div>
      <p>{t.kit.intro}</p>
      <section><h2>Button</h2>
        <div class="line">
          <Button>Plain</Button><Button kind="primary">Primary</Button><Button kind="danger" icon="trash">Danger</Button>
          <Button kind="quiet">Quiet</Button><Button isBusy>Busy</Button><Button blocked="It is blocked, for a reason">Blocked</Button>
        </div>
      </section>
      <section><h2>Field</h2>
        <form class="stack" onSubmit={(event) => event.preventDefault()}>
          <Field name="plain" label="With a hint" hint="What to enter" />
          <Field name="counted" label="With a counter" counts={50} isOptional />
          <Field name="secret" label="With a secret" canReveal autocomplete="off" />
          <Field name="wrong" label="With an error" error="This is not a number" />
        </form>
      </section>
      <section><h2>Select and combobox</h2>
        <Select name="place" label="Few choices" choices={places} />
        <Combobox name="city" label="Many choices" choices={places} hint="Type to narrow them" />
      </section>
      <section><h2>Switch</h2>
        <Switch label="Works" isOn={isOn.value} onChange={(next) => { isOn.value = next; }} />
        <Switch label="Blocked" isOn={false} blocked="It is blocked, for a reason" onChange={() => undefined} />
      </section>
      <section><h2>Dialog and sheet</h2>
        <div class="line">
          <Button onClick={() => { isDialogOpen.value = true; }}>Open a dialog</Button>
          <Button onClick={() => { isSheetOpen.value = true; }}>Open a sheet</Button>
        </div>
      </section>
      <section><h2>Menu</h2>
        <Menu label="Actions" icon="menu" items={['First', 'Second', 'Third'].map((label) => ({ label, icon: 'info' as const,
          onPick: () => { opened.value = label; } }))} />
        <p role="status">{opened.value}</p>
      </section>
      <section><h2>Tabs</h2>
        <Tabs label="Views" current={tab.value} onPick={(id) => { tab.value = id; }}
          tabs={[{ id: 'first', label: 'First' }, { id: 'second', label: 'Second' }]}>The {tab.value} view</Tabs>
      </section>
      <section><h2>Banner</h2>
        {tones.map((tone) => <Banner key={tone} tone={tone} title={`A banner: ${tone}`} actions={<Button>Act</Button>}>With a <a href="#banner">link</a>.</Banner>)}
        <ErrorPanel problem={problem} onRetry={() => undefined} />
      </section>
      <section><h2>Undo bar</h2>
        <Button onClick={() => offerUndo({ says: 'Deleted Call Acme.', undo: () => { opened.value = 'Undone'; } })}>Delete something</Button>
      </section>
      <section><h2>State chip</h2>
        <div class="line">{tones.map((tone) => <StateChip key={tone} tone={tone} icon="info" word={tone} />)}</div>
      </section>
      <section><h2>Grid</h2>
        <Grid label="12,000 records" columns={columns} rows={rows} idOf={(row) => String(row.id)} onOpen={(row) => { opened.value = row.name; }} />
      </section>
      <section><h2>Diff</h2><Diff before="call back Acme about the login" after="call back Acme on Tuesday about login" /></section>
      <section><h2>Chart and table</h2>
        <Chart label="Changes a minute" startMs={Date.UTC(2026, 0, 1, 9)} stepMs={60_000}
          series={[{ label: 'changes', values: [1, 4, 9, null, null, 12, 3, 8] }, { label: 'errors', values: [0, 0, 2, null, null, 1, 0, 0] }]} />
      </section>
      <section><h2>Line to copy</h2><Copyable label="A command" text="syncline doctor --data /srv/syncline" /></section>
      {isDialogOpen.value && (
        <Dialog title="A dialog" onClose={() => { isDialogOpen.value = false; }}>
          <p>It asks something.</p>
          <div class="dialog-actions"><Button kind="danger" onClick={() => { isDialogOpen.value = false; }}>Remove it</Button></div>
        </Dialog>
      )}
      {isSheetOpen.value && <Sheet title="A sheet" onClose={() => { isSheetOpen.value = false; }}><p>Details.</p></Sheet>}
      <UndoBar />
    </main>
  );
}

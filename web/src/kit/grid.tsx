import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

export interface Column<Row> {
  id: string;
  label: string;
  /** As a track of CSS grid ("12rem", "1fr"). */
  width: string;
  cell: (row: Row) => ComponentChildren;
}

interface GridProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  idOf: (row: Row) => string;
  onOpen?: (row: Row) => void;
}

const kSpareRows = 8;

/**
 * Rows of one height, of which only those in view are in the document, so that 10,000 cost what 30 do. One tab stop:
 * arrow keys, Home, End, with Ctrl the first and last row, PageUp, PageDown; Enter opens, Space selects.
 */
export function Grid<Row>({ label, columns, rows, idOf, onOpen }: GridProps<Row>) {
  const box = useRef<HTMLDivElement>(null);
  const [rowPx, setRowPx] = useState(32);
  const [top, setTop] = useState(0);
  const [visible, setVisible] = useState(12);
  const [at, setAt] = useState({ row: -1, column: 0 });  // row -1: the head
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const hasMoved = useRef(false);
  const tracks = { gridTemplateColumns: columns.map((one) => one.width).join(' ') };

  useEffect(() => {
    const node = box.current!;
    const measure = () => {
      const height = node.querySelector('.head')!.getBoundingClientRect().height || 32;
      setRowPx(height);
      setVisible(Math.ceil(node.clientHeight / height));
    };
    const observer = new ResizeObserver(measure);
    observer.observe(node);
    return () => observer.disconnect();
  }, []);

  const first = Math.max(0, Math.floor(top / rowPx) - kSpareRows);
  const last = Math.min(rows.length, first + visible + 2 * kSpareRows);

  useEffect(() => {
    if (hasMoved.current) box.current!.querySelector<HTMLElement>(`[data-at="${at.row},${at.column}"]`)?.focus({ preventScroll: true });
  }, [at, first]);

  const moveTo = (row: number, column: number) => {
    const next = { row: Math.min(rows.length - 1, Math.max(-1, row)), column: Math.min(columns.length - 1, Math.max(0, column)) };
    hasMoved.current = true;
    const node = box.current!;
    const from = next.row * rowPx;
    const page = node.clientHeight - 2 * rowPx;  // the head covers one row
    if (next.row >= 0 && from < node.scrollTop) node.scrollTop = from;
    if (from > node.scrollTop + page) node.scrollTop = from - page;
    setTop(node.scrollTop);
    setAt(next);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const { row, column } = at;
    const page = Math.max(1, visible - 2);
    const moves: Record<string, () => void> = {
      ArrowDown: () => moveTo(row + 1, column), ArrowUp: () => moveTo(row - 1, column),
      ArrowRight: () => moveTo(row, column + 1), ArrowLeft: () => moveTo(row, column - 1),
      PageDown: () => moveTo(row + page, column), PageUp: () => moveTo(row - page, column),
      Home: () => (event.ctrlKey ? moveTo(0, 0) : moveTo(row, 0)),
      End: () => (event.ctrlKey ? moveTo(rows.length - 1, columns.length - 1) : moveTo(row, columns.length - 1)),
    };
    const current = rows[row];
    if (current !== undefined && onOpen) moves.Enter = () => onOpen(current);
    if (current !== undefined) moves[' '] = () => {
      const next = new Set(selected);
      if (!next.delete(idOf(current))) next.add(idOf(current));
      setSelected(next);
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  };

  const cell = (row: number, column: number) => ({
    tabIndex: at.row === row && at.column === column ? 0 : -1, 'data-at': `${row},${column}`, 'aria-colindex': column + 1,
    onFocus: () => { hasMoved.current = true; if (at.row !== row || at.column !== column) setAt({ row, column }); },
  });
  return (
    <div class="grid" role="grid" ref={box} aria-label={label} aria-rowcount={rows.length + 1} aria-colcount={columns.length}
      aria-multiselectable="true" onKeyDown={onKeyDown} onScroll={(event) => setTop(event.currentTarget.scrollTop)}>
      <div class="head" role="row" aria-rowindex={1} style={tracks}>
        {columns.map((one, i) => <div key={one.id} role="columnheader" {...cell(-1, i)}>{one.label}</div>)}
      </div>
      <div class="space" role="presentation" style={{ height: `${rows.length * rowPx}px` }}>
        <div class="window" role="rowgroup" style={{ top: `${first * rowPx}px` }}>
          {rows.slice(first, last).map((row, i) => (
            <div key={idOf(row)} role="row" aria-rowindex={first + i + 2} aria-selected={selected.has(idOf(row))} style={tracks}
              onDblClick={() => onOpen?.(row)}>
              {columns.map((one, j) => <div key={one.id} role="gridcell" {...cell(first + i, j)}>{one.cell(row)}</div>)}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

import { Banner } from './banner';
import { Button } from './button';
import { copy } from './copyable';
import type { Problem } from '../data/api';
import { foreign } from '../text/format';
import { t } from '../text';

/** An error where it happened. It stays, can be copied, and says what to do next. */
export function ErrorPanel({ problem, onRetry, title }: { problem: Problem; onRetry?: () => void; title?: string }) {
  const { body } = problem;
  const details = [body.title, body.detail, body.code, body.request_id && t.requestId(body.request_id)].filter(Boolean).join('\n');
  return (
    <Banner tone="bad" title={title ?? body.title} actions={
      <>
        {onRetry && <Button onClick={onRetry}>{t.tryAgain}</Button>}
        <Button icon="copy" onClick={() => void copy(details)}>{t.copyDetails}</Button>
      </>
    }>
      <p>{foreign(body.detail)}</p>
      {!problem.isUnreachable && (
        <p>
          <a href={`/problems/${encodeURIComponent(body.code)}`} aria-label={t.explainCode(body.code)}>{body.code}</a>
          {body.request_id && <> · {t.requestId(body.request_id)}</>}
        </p>
      )}
    </Banner>
  );
}

// Texts that look like keys and passwords: memories go to every device and into the contexts of models. Only forms that
// issuers have published, and assignments that speak for themselves: hashes and ids are no secrets.
const kForms = [
  // Syncline, Kernle, GitHub, GitLab, AWS, Google, Slack, Stripe, model providers, registries; JSON web tokens, private keys.
  /\b(?:sl_\w{16}|knl_sk_\w{16}|gh[pousr]_\w{20}|github_pat_\w{20}|glpat-[\w-]{16}|A[KS]IA[A-Z0-9]{16}\b|AIza[\w-]{30}|xox[a-z]-[\w-]{10}|[rs]k_(?:live|test)_\w{16}|sk-[\w-]{20}|npm_\w{30}|pypi-[\w-]{30}|hf_\w{30}|eyJ[\w-]{10,}\.[\w-]{10})|-----BEGIN [A-Z ]*PRIVATE KEY/,
  /\b(?:password|passwd|pwd|passphrase)\s*[=:]\s*["']?(?=\S*\d)\S{6}/i,
  /\b(?:key|token|secret)\b["']?\s*[=:]?\s*["']?(?![0-9a-f-]{32,}\b)(?=[\w+/-]*\d)[\w+/-]{32}/i,
];

/** Where a secret begins, from 0; negative if the text looks harmless. */
export const findSecret = (text: string): number =>
  kForms.reduce((found, form) => (found < 0 ? text.search(form) : found), -1);

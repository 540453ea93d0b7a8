// The four published flows of Kiro sync, with a client of our own that makes the same calls as the published one.
// Usage: node kiro_flows.mjs BASE_URL IDE_TOKEN AGENT_TOKEN   Prints one JSON object.
import assert from 'node:assert/strict';

const [base, ideToken, agentToken] = process.argv.slice(2);

function makeClient(token) {
  const request = async (method, path, body) => {
    const answer = await fetch(base + path, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    return answer.json();
  };
  return {
    pull: () => request('GET', '/sync'),
    push: (state) => request('POST', '/sync', state),
    submit: (command) => request('POST', '/command', command),
    command: (id) => request('GET', `/command/${id}`),
    report: (id, change) => request('PATCH', `/command/${id}`, change),
  };
}

const ide = makeClient(ideToken);
const agent = makeClient(agentToken);

// IDE start: everything there is.
const start = await ide.pull();
assert.deepEqual(Object.keys(start), ['conversations', 'documents', 'commands', 'lastUpdate']);

// Send a message; take the data if the server had newer.
const local = { ...start, lastUpdate: Date.now() };
local.conversations['conv-js'] = [{ role: 'user', content: 'list files', timestamp: Date.now() }];
const sent = await ide.push(local);
assert.equal(sent.status, 'updated');
assert.equal(sent.data.conversations['conv-js'][0].content, 'list files');

// Agent loop, once: find what is pending, claim it, report, touch the state.
async function agentOnce() {
  const state = await agent.pull();
  for (const [id, command] of Object.entries(state.commands)) {
    if (command.status !== 'pending') continue;
    await agent.report(id, { status: 'processing' });
    await agent.report(id, { status: 'completed', result: { stdout: `ran ${command.command}`, stderr: '', exitCode: 0 } });
  }
  return agent.push({ lastUpdate: Date.now() });
}

// Run a command: submit, poll until it has ended, then tell the conversation.
const { commandId, status } = await ide.submit({ type: 'execute_bash', command: 'ls -la', metadata: { initiatedBy: 'ide' } });
assert.equal(status, 'pending');
assert.equal((await agentOnce()).data.commands[commandId].status, 'completed');
const ended = await ide.command(commandId);
assert.equal(ended.result.stdout, 'ran ls -la');
assert.equal(ended.metadata.initiatedBy, 'ide');
const after = await ide.push({
  conversations: {
    'conv-js': [...local.conversations['conv-js'], { role: 'assistant', content: ended.result.stdout, timestamp: Date.now() }],
  },
  lastUpdate: Date.now(),
});
assert.equal(after.data.conversations['conv-js'].length, 2);
assert.equal((await ide.command('cmd-1-none')).error, 'Command not found');

console.log(JSON.stringify({ ok: true, commandId }));

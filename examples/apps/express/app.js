// A notice board behind the gateway, in Express. Run it with `node app.js`.

import express from 'express';
import { Bypassed, Unavailable, verify } from './counterfoil.js';

const app = express();
const notes = new Map();

app.use(async (request, response, next) => {
  try {
    request.person = (await verify(request)).sub;
    next();
  } catch (error) {
    if (error instanceof Bypassed) {
      console.warn('refused:', error.message);
      response.status(403).type('text').send('bypassed\n');
    } else if (error instanceof Unavailable) {
      console.error('keys:', error.message);
      response.status(503).type('text').send("the gateway's keys are unavailable\n");
    } else {
      next(error);
    }
  }
});

const signedIn = (request, response, next) =>
  request.person === undefined ? response.status(401).type('text').send('nobody is signed in\n') : next();

const text = (value) => value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

app.get('/', (request, response) => {
  response.send(`<h1>Everybody may read this.</h1><p>You are ${text(request.person ?? 'nobody')}.</p>`);
});

app.get('/me', signedIn, (request, response) => {
  const note = text(notes.get(request.person) ?? '');
  response.send(`<h1>You are ${text(request.person)}.</h1><p>Your note: ${note}</p>
    <form method=post action=/note><input name=text></form>`);
});

app.post('/note', signedIn, express.urlencoded({ extended: false, limit: '4kb' }), (request, response) => {
  notes.set(request.person, String(request.body?.text ?? '').slice(0, 200));
  response.redirect(303, '/me');
});

app.listen(Number(process.env.PORT), '127.0.0.1');

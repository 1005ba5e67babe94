import { defineVerb, entryOf } from '../../verb.ts';
import { setEnv } from './env.ts';
import { setImage } from './image.ts';
import { setSelector, setServiceAccount, setSubject } from './references.ts';
import { setResources } from './resources.ts';

export const set = defineVerb({
  name: 'set',
  summary: 'Set specific features on objects',
  usage: '',
  flags: {},
  commands: [setEnv, setImage, setResources, setSelector, setServiceAccount, setSubject].map(entryOf),
});

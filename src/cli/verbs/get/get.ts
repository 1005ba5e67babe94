import { defineVerb } from '../../verb.ts';
import { getFlags } from './flags.ts';
import { runGet } from './run.ts';

export const get = defineVerb({
  name: 'get',
  summary: 'Display one or many resources',
  about:
    'Display one or many resources.\n\n Prints a table of the most important information about the specified resources. You can filter the list using a label selector and the --selector flag. If the desired resource type is namespaced you will only see results in the current namespace if you don\'t specify any namespace.\n\nUse "kubectl api-resources" for a complete list of supported resources.',
  usage:
    '[(-o|--output=)json|yaml|kyaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file|custom-columns|custom-columns-file|wide] (TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags]',
  examples: `
# List all pods in ps output format
kubectl get pods

# List a single deployment in JSON
kubectl get deployment web -o json

# Return only the phase of a pod
kubectl get pod/web -o jsonpath={.status.phase}

# List resources of several kinds and watch for changes
kubectl get deployments,services --watch`,
  flags: getFlags,
  run: runGet,
});

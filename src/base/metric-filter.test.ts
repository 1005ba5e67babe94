import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricFilter } from './metric-filter.ts';
import { Metrics } from './metrics.ts';

test('metrics that are disabled are not shown, and values of labels that are not allowed are one', () => {
  const metrics = new Metrics();
  const requests = metrics.counter('requests_total', 'Requests.');
  const sizes = metrics.histogram('sizes', 'Sizes.', [10]);
  for (const [path, verb] of [
    ['/a', 'GET'],
    ['/b', 'GET'],
    ['/c"} 7', 'GET'],
    ['/b', 'PUT'],
  ] as const) {
    requests.add({ path, verb }, 2);
    sizes.series({ path })(5);
  }
  metrics.counter('secret_total', 'Nobody is to know.').add({}, 3);
  const filter = metricFilter({
    disabled: ['secret_total'],
    allowedLabels: { 'requests_total,path': ['/a'], 'sizes,path': [] },
  })!;
  assert.deepEqual(
    filter(metrics.render())
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#')),
    [
      'requests_total{path="/a",verb="GET"} 2',
      'requests_total{path="unexpected",verb="GET"} 4',
      'requests_total{path="unexpected",verb="PUT"} 2',
      'sizes_bucket{path="unexpected",le="10"} 4',
      'sizes_bucket{path="unexpected",le="+Inf"} 4',
      'sizes_sum{path="unexpected"} 20',
      'sizes_count{path="unexpected"} 4',
    ],
  );
  assert.equal(metricFilter({}), undefined);
});

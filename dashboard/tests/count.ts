// The last line that tests/run reads. A test that was skipped has not passed.

import type { FullResult, Reporter, TestCase } from "@playwright/test/reporter";

export default class Count implements Reporter {
  private readonly tests = new Set<TestCase>();

  onTestEnd(test: TestCase): void {
    this.tests.add(test);
  }

  onEnd(result: FullResult): void {
    const passed = [...this.tests].filter((test) => test.outcome() === "expected").length;
    const failed = this.tests.size - passed + (result.status === "passed" || this.tests.size > passed ? 0 : 1);
    console.log(`${passed} passed, ${failed} failed`);
  }
}

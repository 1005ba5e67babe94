/**
 * The program that holds a pod's namespaces open: it waits for signals, reaps the children that it inherits as
 * process 1 of a shared PID namespace, and exits with 0 at SIGTERM or SIGINT. Written as machine code so that a
 * cluster needs neither a compiler nor a registry for the one image that every pod is built on.
 *
 *     block SIGINT, SIGTERM, SIGCHLD
 *     wait: signal = sigtimedwait(set, no timeout)
 *           interrupted           → wait
 *           not SIGCHLD           → exit(0)
 *     reap: wait4(-1, WNOHANG) > 0 → reap
 *           → wait
 *
 * Signals are blocked and fetched instead of handled: no handler, no stack frame, and process 1 of a namespace gets
 * blocked signals where it would not be sent unhandled ones.
 */
export function pauseProgram(architecture: 'amd64' | 'arm64'): Buffer {
  return architecture === 'amd64' ? elf(machine.amd64, amd64Code()) : elf(machine.arm64, arm64Code());
}

/** ELF e_machine. */
const machine = { amd64: 62, arm64: 183 } as const;

const signal = { int: 2, term: 15, child: 17 } as const;

/** The kernel's sigset_t: bit n - 1 for signal n. */
function signalSet(): Buffer {
  const set = Buffer.alloc(8);
  set.writeBigUInt64LE([signal.int, signal.term, signal.child].reduce((bits, n) => bits | (1n << BigInt(n - 1)), 0n));
  return set;
}

function amd64Code(): Buffer {
  const code = Buffer.from(
    [
      'b8 0e000000', //          mov  eax, 14             rt_sigprocmask
      '31 ff', //                xor  edi, edi            SIG_BLOCK
      '48 8d 35 52000000', //    lea  rsi, [set]
      '31 d2', //                xor  edx, edx
      '41 ba 08000000', //       mov  r10d, 8
      '0f 05', //                syscall
      'b8 80000000', //    wait: mov  eax, 128            rt_sigtimedwait
      '48 8d 3d 3c000000', //    lea  rdi, [set]
      '31 f6', //                xor  esi, esi
      '31 d2', //                xor  edx, edx
      '41 ba 08000000', //       mov  r10d, 8
      '0f 05', //                syscall
      '85 c0', //                test eax, eax
      '78 e4', //                js   wait
      '83 f8 11', //             cmp  eax, 17             SIGCHLD
      '74 09', //                je   reap
      'b8 e7000000', //          mov  eax, 231            exit_group
      '31 ff', //                xor  edi, edi
      '0f 05', //                syscall
      'b8 3d000000', //    reap: mov  eax, 61             wait4
      '48 83 cf ff', //          or   rdi, -1
      '31 f6', //                xor  esi, esi
      'ba 01000000', //          mov  edx, 1              WNOHANG
      '45 31 d2', //             xor  r10d, r10d
      '0f 05', //                syscall
      '85 c0', //                test eax, eax
      '7f e7', //                jg   reap
      'eb bb', //                jmp  wait
      '0f 1f 00', //             nop                      set: at offset 96
    ]
      .join('')
      .replaceAll(' ', ''),
    'hex',
  );
  return Buffer.concat([code, signalSet()]);
}

function arm64Code(): Buffer {
  const wait = 6;
  const reap = 19;
  const set = 28;
  const movz = (register: number, value: number) => 0xd2800000 | (value << 5) | register;
  // Distances are in instructions of four bytes, from the instruction at `at`.
  const adr = (at: number, register: number, to: number) => 0x10000000 | ((to - at) << 5) | register;
  const branchIf = (at: number, condition: number, to: number) => 0x54000000 | (((to - at) & 0x7ffff) << 5) | condition;
  const compareResult = (value: number) => 0x7100001f | (value << 10);
  const supervisorCall = 0xd4000001;
  const condition = { equal: 0, less: 11, greater: 12 } as const;
  const instructions = [
    movz(8, 135), // rt_sigprocmask
    movz(0, 0), //   SIG_BLOCK
    adr(2, 1, set),
    movz(2, 0),
    movz(3, 8),
    supervisorCall,
    movz(8, 137), // wait: rt_sigtimedwait
    adr(7, 0, set),
    movz(1, 0),
    movz(2, 0),
    movz(3, 8),
    supervisorCall,
    compareResult(0),
    branchIf(13, condition.less, wait),
    compareResult(signal.child),
    branchIf(15, condition.equal, reap),
    movz(8, 94), //  exit_group
    movz(0, 0),
    supervisorCall,
    movz(8, 260), // reap: wait4
    0x92800000, //   mov x0, -1
    movz(1, 0),
    movz(2, 1), //   WNOHANG
    movz(3, 0),
    supervisorCall,
    compareResult(0),
    branchIf(26, condition.greater, reap),
    0x14000000 | ((wait - 27) & 0x3ffffff), // b wait
  ];
  const code = Buffer.alloc(instructions.length * 4);
  instructions.forEach((instruction, index) => {
    code.writeUInt32LE(instruction >>> 0, index * 4);
  });
  return Buffer.concat([code, signalSet()]);
}

/** A static executable of one segment, mapped whole and read-only. */
function elf(machineType: number, code: Buffer): Buffer {
  const base = 0x400000n;
  const headerBytes = 64;
  const programHeaderBytes = 56;
  const codeAt = headerBytes + programHeaderBytes;
  const header = Buffer.alloc(headerBytes);
  header.write('\x7fELF', 'latin1');
  header.set([2, 1, 1], 4); // 64 bits, little-endian, version 1
  header.writeUInt16LE(2, 16); // executable
  header.writeUInt16LE(machineType, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(base + BigInt(codeAt), 24); // entry
  header.writeBigUInt64LE(BigInt(headerBytes), 32); // program headers
  header.writeUInt16LE(headerBytes, 52);
  header.writeUInt16LE(programHeaderBytes, 54);
  header.writeUInt16LE(1, 56);
  header.writeUInt16LE(64, 58); // size of a section header, of which there are none
  const program = Buffer.alloc(programHeaderBytes);
  program.writeUInt32LE(1, 0); // loadable
  program.writeUInt32LE(5, 4); // readable, executable
  program.writeBigUInt64LE(base, 16);
  program.writeBigUInt64LE(base, 24);
  program.writeBigUInt64LE(BigInt(codeAt + code.length), 32);
  program.writeBigUInt64LE(BigInt(codeAt + code.length), 40);
  program.writeBigUInt64LE(0x1000n, 48);
  return Buffer.concat([header, program, code]);
}

/// Makes system calls on files under one folder fail: linked into a test, or preloaded into `ebb`
/// with LD_PRELOAD and
///
///   EBB_IO_FAULTS=KIND:NTH[:LENGTH]   eio, enospc, eintr or short; the NTH call (from 1) and those
///                                     after it fail, LENGTH of them (default 1, 0 = all)
///   EBB_IO_FAULTS_FOLDER=DIR
///   EBB_IO_FAULTS_LOG=FILE            a line `CALL PATH` for each counted call, in order
///   (optional)
///
/// Counted are write, pwrite, writev, pwritev, copy_file_range, fsync, fdatasync, msync, ftruncate,
/// rename, renameat2, link, and opening with O_CREAT. `short` writes half of the bytes, where a
/// call writes; other calls then go well.
#pragma once

extern "C" {

/// Counts from 0 again. A null folder ends it.
void io_faults_arm(const char* folder, const char* kind, unsigned long nth, unsigned long length);

/// Calls counted since.
unsigned long io_faults_count();
}

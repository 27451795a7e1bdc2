module {
  aie.device(npu1) {
    %tile_0_0 = aie.tile(0, 0) {controller_id = #aie.packet_info<pkt_type = 0, pkt_id = 15>}
    %tile_0_1 = aie.tile(0, 1)
    %buffer_0_1_0_object_0 = aie.buffer(%tile_0_1) {address = 0 : i32, sym_name = "buffer_0_1_0_object_0"} : memref<1024xi32>
    %buffer_0_1_1_object_1 = aie.buffer(%tile_0_1) {address = 65536 : i32, sym_name = "buffer_0_1_1_object_1"} : memref<1024xi32>
    %lock_0_1_0_empty = aie.lock(%tile_0_1, 0) {init = 2 : i32, sym_name = "lock_0_1_0_empty"}
    %lock_0_1_1_full = aie.lock(%tile_0_1, 1) {init = 0 : i32, sym_name = "lock_0_1_1_full"}
    %tile_0_2 = aie.tile(0, 2)
    %buffer_0_2_0_parameters = aie.buffer(%tile_0_2) {address = 1024 : i32, sym_name = "buffer_0_2_0_parameters"} : memref<1024xi32>
    %buffer_0_2_1_in_0 = aie.buffer(%tile_0_2) {address = 16384 : i32, sym_name = "buffer_0_2_1_in_0"} : memref<1024xi32>
    %buffer_0_2_2_in_1 = aie.buffer(%tile_0_2) {address = 20480 : i32, sym_name = "buffer_0_2_2_in_1"} : memref<1024xi32>
    %buffer_0_2_3_out_0 = aie.buffer(%tile_0_2) {address = 24576 : i32, sym_name = "buffer_0_2_3_out_0"} : memref<1024xi32>
    %buffer_0_2_4_out_1 = aie.buffer(%tile_0_2) {address = 28672 : i32, sym_name = "buffer_0_2_4_out_1"} : memref<1024xi32>
    %buffer_0_2_5_out_2 = aie.buffer(%tile_0_2) {address = 32768 : i32, sym_name = "buffer_0_2_5_out_2"} : memref<1024xi32>
    %buffer_0_2_6_single = aie.buffer(%tile_0_2) {address = 36864 : i32, sym_name = "buffer_0_2_6_single"} : memref<8192xi8>
    %buffer_0_2_7_scratch = aie.buffer(%tile_0_2) {address = 49152 : i32, sym_name = "buffer_0_2_7_scratch"} : memref<4096xi32>
    %lock_0_2_0_in_empty = aie.lock(%tile_0_2, 0) {init = 2 : i32, sym_name = "lock_0_2_0_in_empty"}
    %lock_0_2_1_in_full = aie.lock(%tile_0_2, 1) {init = 0 : i32, sym_name = "lock_0_2_1_in_full"}
    %lock_0_2_2_out_empty = aie.lock(%tile_0_2, 2) {init = 3 : i32, sym_name = "lock_0_2_2_out_empty"}
    %lock_0_2_3_out_full = aie.lock(%tile_0_2, 3) {init = 0 : i32, sym_name = "lock_0_2_3_out_full"}
    %lock_0_2_4_single_empty = aie.lock(%tile_0_2, 4) {init = 1 : i32, sym_name = "lock_0_2_4_single_empty"}
    %lock_0_2_5_single_full = aie.lock(%tile_0_2, 5) {init = 0 : i32, sym_name = "lock_0_2_5_single_full"}
    aie.flow(%tile_0_0, DMA : 0, %tile_0_1, DMA : 0)
    aie.flow(%tile_0_1, DMA : 1, %tile_0_2, DMA : 0)
    aie.flow(%tile_0_1, DMA : 1, %tile_0_2, DMA : 1)
    aie.flow(%tile_0_2, DMA : 0, %tile_0_0, DMA : 0)
    func.func private @clear(memref<4096xi32>) attributes {link_with = "kernels.o"}
    func.func private @copy_object(memref<1024xi32>, memref<1024xi32>) attributes {link_with = "kernels.o"}
    func.func private @product_bf16(memref<1024xi32>, memref<1024xi32>, memref<4096xi32>, i32) attributes {link_with = "kernels.o"}
    func.func private @store_wide(memref<4096xi32>, memref<1024xi32>, i32) attributes {link_with = "kernels.o"}
    aie.shim_dma_allocation @shim_0_mm2s_0 (%tile_0_0, MM2S, 0)
    aie.shim_dma_allocation @shim_0_s2mm_0 (%tile_0_0, S2MM, 0)
    %memtile_dma_0_1 = aie.memtile_dma(%tile_0_1) {
      %channel0 = aie.dma_start(S2MM, 0, ^bd0, ^channel1)
    ^channel1:
      %channel1 = aie.dma_start(MM2S, 1, ^bd24, ^end)
    ^bd0:
      aie.use_lock(%lock_0_1_0_empty, AcquireGreaterEqual, 1)
      aie.dma_bd(%buffer_0_1_0_object_0 : memref<1024xi32>, 0, 1024) {bd_id = 0 : i32}
      aie.use_lock(%lock_0_1_1_full, Release, 1)
      aie.next_bd ^bd1
    ^bd1:
      aie.use_lock(%lock_0_1_0_empty, AcquireGreaterEqual, 1)
      aie.dma_bd(%buffer_0_1_1_object_1 : memref<1024xi32>, 0, 1024) {bd_id = 1 : i32}
      aie.use_lock(%lock_0_1_1_full, Release, 1)
      aie.next_bd ^bd0
    ^bd24:
      aie.use_lock(%lock_0_1_1_full, AcquireGreaterEqual, 1)
      aie.dma_bd(%buffer_0_1_0_object_0 : memref<1024xi32>, 0, 1024, [<size = 2, stride = 512>, <size = 64, stride = 1>, <size = 8, stride = 64>]) {bd_id = 24 : i32}
      aie.use_lock(%lock_0_1_0_empty, Release, 1)
      aie.next_bd ^bd25
    ^bd25:
      aie.use_lock(%lock_0_1_1_full, AcquireGreaterEqual, 1)
      aie.dma_bd(%buffer_0_1_1_object_1 : memref<1024xi32>, 0, 1024) {bd_id = 25 : i32}
      aie.use_lock(%lock_0_1_1_full, Release, 0)
      aie.next_bd ^bd26
    ^bd26:
      aie.use_lock(%lock_0_1_1_full, AcquireGreaterEqual, 1)
      aie.dma_bd(%buffer_0_1_1_object_1 : memref<1024xi32>, 16, 16) {bd_id = 26 : i32}
      aie.use_lock(%lock_0_1_0_empty, Release, 1)
      aie.next_bd ^bd24
    ^end:
      aie.end
    }
    %mem_0_2 = aie.mem(%tile_0_2) {
      %channel0 = aie.dma_start(S2MM, 0, ^bd0, ^channel1)
    ^channel1:
      %channel1 = aie.dma_start(S2MM, 1, ^bd2, ^channel2)
    ^channel2:
      %channel2 = aie.dma_start(MM2S, 0, ^bd3, ^end)
    ^bd0:
      aie.use_lock(%lock_0_2_0_in_empty, AcquireGreaterEqual, 1)
      aie.dma_bd(%buffer_0_2_1_in_0 : memref<1024xi32>, 0, 1024) {bd_id = 0 : i32}
      aie.use_lock(%lock_0_2_1_in_full, Release, 1)
      aie.next_bd ^bd1
    ^bd1:
      aie.use_lock(%lock_0_2_0_in_empty, AcquireGreaterEqual, 1)
      aie.dma_bd(%buffer_0_2_2_in_1 : memref<1024xi32>, 0, 1024) {bd_id = 1 : i32}
      aie.use_lock(%lock_0_2_1_in_full, Release, 1)
      aie.next_bd ^bd0
    ^bd2:
      aie.use_lock(%lock_0_2_5_single_full, AcquireGreaterEqual, 0) {acq_en = false}
      aie.dma_bd(%buffer_0_2_6_single : memref<8192xi8>, 0, 4096, [<size = 512, stride = 8>, <size = 8, stride = 1>]) {bd_id = 2 : i32}
      aie.use_lock(%lock_0_2_5_single_full, Release, 1)
      aie.next_bd ^bd6
    ^bd3:
      aie.use_lock(%lock_0_2_3_out_full, AcquireGreaterEqual, 1)
      aie.dma_bd(%buffer_0_2_3_out_0 : memref<1024xi32>, 0, 1024) {bd_id = 3 : i32}
      aie.use_lock(%lock_0_2_2_out_empty, Release, 1)
      aie.next_bd ^bd4
    ^bd4:
      aie.use_lock(%lock_0_2_3_out_full, AcquireGreaterEqual, 1)
      aie.dma_bd(%buffer_0_2_4_out_1 : memref<1024xi32>, 0, 1024) {bd_id = 4 : i32}
      aie.use_lock(%lock_0_2_2_out_empty, Release, 1)
      aie.next_bd ^bd5
    ^bd5:
      aie.use_lock(%lock_0_2_3_out_full, AcquireGreaterEqual, 1)
      aie.dma_bd(%buffer_0_2_5_out_2 : memref<1024xi32>, 0, 1024) {bd_id = 5 : i32}
      aie.use_lock(%lock_0_2_2_out_empty, Release, 1)
      aie.next_bd ^bd3
    ^bd6:
      aie.dma_bd(%buffer_0_2_6_single : memref<8192xi8>, 4, 128, [<size = 32, stride = 12>, <size = 4, stride = 1>]) {bd_id = 6 : i32}
      aie.next_bd ^end
    ^end:
      aie.end
    }
    %core_0_2 = aie.core(%tile_0_2) {
      %c-1_i32 = arith.constant -1 : i32
      %c1_i32 = arith.constant 1 : i32
      %c2_i32 = arith.constant 2 : i32
      %c4_i32 = arith.constant 4 : i32
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c3 = arith.constant 3 : index
      %c4096 = arith.constant 4096 : index
      %c9223372036854775807 = arith.constant 9223372036854775807 : index
      %v4:2 = scf.for %v1 = %c0 to %c9223372036854775807 step %c1 iter_args(%v2 = %c0, %v3 = %c0) -> (index, index) {
        aie.use_lock(%lock_0_2_1_in_full, AcquireGreaterEqual, 1)
        %v5 = scf.index_switch %v2 -> memref<1024xi32>
        case 0 {
          scf.yield %buffer_0_2_1_in_0 : memref<1024xi32>
        }
        default {
          scf.yield %buffer_0_2_2_in_1 : memref<1024xi32>
        }
        func.call @copy_object(%v5, %buffer_0_2_0_parameters) : (memref<1024xi32>, memref<1024xi32>) -> ()
        aie.use_lock(%lock_0_2_0_in_empty, Release, 1)
        %v6 = arith.addi %v2, %c1 : index
        %v7 = arith.cmpi eq, %v6, %c2 : index
        %v8 = arith.select %v7, %c0, %v6 : index
        func.call @clear(%buffer_0_2_7_scratch) : (memref<4096xi32>) -> ()
        aie.use_lock(%lock_0_2_5_single_full, AcquireGreaterEqual, 1)
        %v9 = memref.load %buffer_0_2_0_parameters[%c1] : memref<1024xi32>
        %v10 = arith.index_cast %v9 : i32 to index
        %v13 = scf.for %v11 = %c0 to %v10 step %c1 iter_args(%v12 = %v8) -> (index) {
          aie.use_lock(%lock_0_2_1_in_full, AcquireGreaterEqual, 1)
          %v14 = scf.index_switch %v12 -> memref<1024xi32>
          case 0 {
            scf.yield %buffer_0_2_1_in_0 : memref<1024xi32>
          }
          default {
            scf.yield %buffer_0_2_2_in_1 : memref<1024xi32>
          }
          %v15 = arith.index_cast %c2_i32 : i32 to index
          scf.for %v16 = %c0 to %v15 step %c1 {
            %v17 = memref.view %buffer_0_2_6_single[%c0][] : memref<8192xi8> to memref<1024xi32>
            %v18 = memref.load %buffer_0_2_0_parameters[%c2] : memref<1024xi32>
            %v19 = arith.index_cast %v16 : index to i32
            %v20 = arith.addi %v18, %v19 : i32
            func.call @product_bf16(%v14, %v17, %buffer_0_2_7_scratch, %v20) : (memref<1024xi32>, memref<1024xi32>, memref<4096xi32>, i32) -> ()
            scf.yield
          }
          aie.use_lock(%lock_0_2_0_in_empty, Release, 1)
          %v21 = arith.addi %v12, %c1 : index
          %v22 = arith.cmpi eq, %v21, %c2 : index
          %v23 = arith.select %v22, %c0, %v21 : index
          scf.yield %v23 : index
        }
        aie.use_lock(%lock_0_2_4_single_empty, Release, 1)
        %v24 = memref.load %buffer_0_2_0_parameters[%c0] : memref<1024xi32>
        %v25 = arith.index_cast %v24 : i32 to index
        %v26:2 = scf.index_switch %v25 -> index, index
        case 0 {
          scf.yield %v13, %v3 : index, index
        }
        case 1 {
          %v27 = arith.index_cast %c4_i32 : i32 to index
          %v30 = scf.for %v28 = %c0 to %v27 step %c1 iter_args(%v29 = %v3) -> (index) {
            aie.use_lock(%lock_0_2_2_out_empty, AcquireGreaterEqual, 1)
            %v31 = scf.index_switch %v29 -> memref<1024xi32>
            case 0 {
              scf.yield %buffer_0_2_3_out_0 : memref<1024xi32>
            }
            case 1 {
              scf.yield %buffer_0_2_4_out_1 : memref<1024xi32>
            }
            default {
              scf.yield %buffer_0_2_5_out_2 : memref<1024xi32>
            }
            %v32 = arith.index_cast %v28 : index to i32
            func.call @store_wide(%buffer_0_2_7_scratch, %v31, %v32) : (memref<4096xi32>, memref<1024xi32>, i32) -> ()
            aie.use_lock(%lock_0_2_3_out_full, Release, 1)
            %v33 = arith.addi %v29, %c1 : index
            %v34 = arith.cmpi eq, %v33, %c3 : index
            %v35 = arith.select %v34, %c0, %v33 : index
            scf.yield %v35 : index
          }
          scf.yield %v13, %v30 : index, index
        }
        case 2 {
          aie.use_lock(%lock_0_2_2_out_empty, AcquireGreaterEqual, 1)
          %v36 = scf.index_switch %v3 -> memref<1024xi32>
          case 0 {
            scf.yield %buffer_0_2_3_out_0 : memref<1024xi32>
          }
          case 1 {
            scf.yield %buffer_0_2_4_out_1 : memref<1024xi32>
          }
          default {
            scf.yield %buffer_0_2_5_out_2 : memref<1024xi32>
          }
          aie.use_lock(%lock_0_2_1_in_full, AcquireGreaterEqual, 1)
          %v37 = scf.index_switch %v13 -> memref<1024xi32>
          case 0 {
            scf.yield %buffer_0_2_1_in_0 : memref<1024xi32>
          }
          default {
            scf.yield %buffer_0_2_2_in_1 : memref<1024xi32>
          }
          %v38 = arith.index_cast %c-1_i32 : i32 to index
          scf.for %v39 = %c0 to %v38 step %c1 {
            %v40 = memref.view %buffer_0_2_6_single[%c4096][] : memref<8192xi8> to memref<1024xi32>
            func.call @copy_object(%v37, %v40) : (memref<1024xi32>, memref<1024xi32>) -> ()
            scf.yield
          }
          %v41 = arith.index_cast %c1_i32 : i32 to index
          scf.for %v42 = %c0 to %v41 step %c1 {
            %v43 = arith.index_cast %v42 : index to i32
            func.call @store_wide(%buffer_0_2_7_scratch, %v36, %v43) : (memref<4096xi32>, memref<1024xi32>, i32) -> ()
            scf.yield
          }
          %v44 = memref.view %buffer_0_2_6_single[%c4096][] : memref<8192xi8> to memref<1024xi32>
          func.call @copy_object(%v44, %v36) : (memref<1024xi32>, memref<1024xi32>) -> ()
          aie.use_lock(%lock_0_2_0_in_empty, Release, 1)
          %v45 = arith.addi %v13, %c1 : index
          %v46 = arith.cmpi eq, %v45, %c2 : index
          %v47 = arith.select %v46, %c0, %v45 : index
          aie.use_lock(%lock_0_2_3_out_full, Release, 1)
          %v48 = arith.addi %v3, %c1 : index
          %v49 = arith.cmpi eq, %v48, %c3 : index
          %v50 = arith.select %v49, %c0, %v48 : index
          scf.yield %v47, %v50 : index, index
        }
        default {
          scf.yield %v13, %v3 : index, index
        }
        %v51 = arith.index_cast %c1_i32 : i32 to index
        scf.for %v52 = %c0 to %v51 step %c1 {
          aie.use_lock(%lock_0_2_2_out_empty, AcquireGreaterEqual, 1)
          %v53 = scf.index_switch %v26#1 -> memref<1024xi32>
          case 0 {
            scf.yield %buffer_0_2_3_out_0 : memref<1024xi32>
          }
          case 1 {
            scf.yield %buffer_0_2_4_out_1 : memref<1024xi32>
          }
          default {
            scf.yield %buffer_0_2_5_out_2 : memref<1024xi32>
          }
          scf.yield
        }
        %v54 = arith.index_cast %c1_i32 : i32 to index
        %v57 = scf.for %v55 = %c0 to %v54 step %c1 iter_args(%v56 = %v26#1) -> (index) {
          %v58 = scf.index_switch %v56 -> memref<1024xi32>
          case 0 {
            scf.yield %buffer_0_2_3_out_0 : memref<1024xi32>
          }
          case 1 {
            scf.yield %buffer_0_2_4_out_1 : memref<1024xi32>
          }
          default {
            scf.yield %buffer_0_2_5_out_2 : memref<1024xi32>
          }
          func.call @copy_object(%buffer_0_2_0_parameters, %v58) : (memref<1024xi32>, memref<1024xi32>) -> ()
          aie.use_lock(%lock_0_2_3_out_full, Release, 1)
          %v59 = arith.addi %v56, %c1 : index
          %v60 = arith.cmpi eq, %v59, %c3 : index
          %v61 = arith.select %v60, %c0, %v59 : index
          scf.yield %v61 : index
        }
        scf.yield %v26#0, %v57 : index, index
      }
      aie.end
    } {stack_size = 1024 : i32}
    aie.runtime_sequence(%argument0: memref<1024xi32>, %argument1: memref<6912xi32>) {
      aiex.npu.writebd {bd_id = 1 : i32, buffer_length = 1024 : i32, buffer_offset = 0 : i32, column = 0 : i32, d0_size = 256 : i32, d0_stride = 0 : i32, d0_zero_after = 0 : i32, d0_zero_before = 0 : i32, d1_size = 4 : i32, d1_stride = 511 : i32, d1_zero_after = 0 : i32, d1_zero_before = 0 : i32, d2_size = 0 : i32, d2_stride = 0 : i32, d2_zero_after = 0 : i32, d2_zero_before = 0 : i32, enable_packet = 0 : i32, iteration_current = 0 : i32, iteration_size = 2 : i32, iteration_stride = 2047 : i32, lock_acq_enable = 0 : i32, lock_acq_id = 0 : i32, lock_acq_val = 0 : i32, lock_rel_id = 0 : i32, lock_rel_val = 0 : i32, next_bd = 2 : i32, out_of_order_id = 0 : i32, packet_id = 0 : i32, packet_type = 0 : i32, row = 0 : i32, use_next_bd = 1 : i32, valid_bd = 1 : i32}
      aiex.npu.address_patch {addr = 118820 : ui32, arg_idx = 1 : i32, arg_plus = 4096 : i32}
      aiex.npu.writebd {bd_id = 2 : i32, buffer_length = 1024 : i32, buffer_offset = 0 : i32, column = 0 : i32, d0_size = 0 : i32, d0_stride = 0 : i32, d0_zero_after = 0 : i32, d0_zero_before = 0 : i32, d1_size = 0 : i32, d1_stride = 0 : i32, d1_zero_after = 0 : i32, d1_zero_before = 0 : i32, d2_size = 0 : i32, d2_stride = 0 : i32, d2_zero_after = 0 : i32, d2_zero_before = 0 : i32, enable_packet = 0 : i32, iteration_current = 0 : i32, iteration_size = 0 : i32, iteration_stride = 0 : i32, lock_acq_enable = 0 : i32, lock_acq_id = 0 : i32, lock_acq_val = 0 : i32, lock_rel_id = 0 : i32, lock_rel_val = 0 : i32, next_bd = 0 : i32, out_of_order_id = 0 : i32, packet_id = 0 : i32, packet_type = 0 : i32, row = 0 : i32, use_next_bd = 0 : i32, valid_bd = 1 : i32}
      aiex.npu.address_patch {addr = 118852 : ui32, arg_idx = 1 : i32, arg_plus = 4096 : i32}
      aiex.npu.push_queue(0, 0, MM2S : 0) {bd_id = 1 : i32, issue_token = false, repeat_count = 2 : i32}
      aiex.npu.writebd {bd_id = 0 : i32, buffer_length = 1024 : i32, buffer_offset = 0 : i32, column = 0 : i32, d0_size = 0 : i32, d0_stride = 0 : i32, d0_zero_after = 0 : i32, d0_zero_before = 0 : i32, d1_size = 0 : i32, d1_stride = 0 : i32, d1_zero_after = 0 : i32, d1_zero_before = 0 : i32, d2_size = 0 : i32, d2_stride = 0 : i32, d2_zero_after = 0 : i32, d2_zero_before = 0 : i32, enable_packet = 0 : i32, iteration_current = 0 : i32, iteration_size = 0 : i32, iteration_stride = 0 : i32, lock_acq_enable = 0 : i32, lock_acq_id = 0 : i32, lock_acq_val = 0 : i32, lock_rel_id = 0 : i32, lock_rel_val = 0 : i32, next_bd = 0 : i32, out_of_order_id = 0 : i32, packet_id = 0 : i32, packet_type = 0 : i32, row = 0 : i32, use_next_bd = 0 : i32, valid_bd = 1 : i32}
      aiex.npu.address_patch {addr = 118788 : ui32, arg_idx = 0 : i32, arg_plus = 0 : i32}
      aiex.npu.push_queue(0, 0, S2MM : 0) {bd_id = 0 : i32, issue_token = true, repeat_count = 0 : i32}
      aiex.npu.sync {channel = 0 : i32, column = 0 : i32, column_num = 1 : i32, direction = 0 : i32, row = 0 : i32, row_num = 1 : i32}
    }
  }
}

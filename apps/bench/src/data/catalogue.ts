import { fileURLToPath } from "node:url";

/** One file of a data set. Checksums and counts are of its content, decompressed. */
export interface DataFile {
  readonly name: string;
  /** Unknown, as is the checksum, where this project never had the file. */
  readonly bytes?: number;
  /** Of this project's own copy; the publishers of these sets give none. */
  readonly sha256?: string;
}

/** The file in which a publisher offers a whole set. */
export interface DataArchive {
  readonly name: string;
  /** From which it is downloaded. */
  readonly address: string;
  /** How the right one is told from others. */
  readonly proof: ArchiveProof;
}

/** An MD5 that is widely published; or else what a graph's archive states of itself. */
export type ArchiveProof = { readonly md5: string } | { readonly nodes: number; readonly edges: number };

/** A data set that a benchmark needs. */
export interface DataSet {
  readonly name: string;
  readonly title: string;
  /** Names that its folder may have under a data directory. */
  readonly folders: readonly string[];
  readonly files: readonly DataFile[];
  /** Where its publisher offers it. */
  readonly address: string;
  readonly licence: string;
  /** Serves as well as the files that are in it. */
  readonly archive?: DataArchive;
  /** Files or folders that each stand for the whole set, too. */
  readonly otherForms?: readonly string[];
  /** The copy that comes with this package. */
  readonly shipped?: string;
}

export const DATA_SETS: readonly DataSet[] = [
  {
    name: "adult",
    title: "Adult (Census Income), B. Becker and R. Kohavi 1996, https://doi.org/10.24432/C5XW20",
    folders: ["adult"],
    files: [
      {
        name: "adult.data",
        bytes: 3_974_305,
        sha256: "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
      },
      {
        name: "adult.test",
        bytes: 2_003_153,
        sha256: "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
      },
    ],
    address: "https://archive.ics.uci.edu/dataset/2/adult",
    licence: "CC BY 4.0",
    shipped: fileURLToPath(new URL("../../data/adult", import.meta.url)),
  },
  {
    name: "imdb",
    title: "Large Movie Review Dataset, A. Maas et al. 2011, https://ai.stanford.edu/~amaas/data/sentiment/",
    folders: ["imdb", "aclImdb"],
    files: [],
    archive: {
      name: "aclImdb_v1.tar.gz",
      address: "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
      proof: { md5: "7c2ac02c03563afcf9b574c7e56c153a" },
    },
    otherForms: [
      "train/pos",
      "aclImdb/train/pos",
      "aclImdb_labeled.tar.gz",
      "plain_text/train-00000-of-00001.parquet",
      "train-00000-of-00001.parquet",
    ],
    address: "https://ai.stanford.edu/~amaas/data/sentiment/",
    licence: "none stated; published for research",
  },
  {
    name: "ogbn-products",
    title: "ogbn-products, W. Hu et al. 2020, https://ogb.stanford.edu/docs/nodeprop/#ogbn-products",
    folders: ["ogbn_products", "products"],
    files: [
      { name: "raw/num-node-list.csv" },
      { name: "raw/num-edge-list.csv" },
      { name: "raw/edge.csv" },
      { name: "raw/node-feat.csv" },
      { name: "raw/node-label.csv" },
      { name: "split/sales_ranking/train.csv" },
      { name: "split/sales_ranking/valid.csv" },
      { name: "split/sales_ranking/test.csv" },
      { name: "mapping/labelidx2productcategory.csv" },
    ],
    archive: {
      name: "products.zip",
      address: "http://snap.stanford.edu/ogb/data/nodeproppred/products.zip",
      proof: { nodes: 2_449_029, edges: 61_859_140 },
    },
    address: "http://snap.stanford.edu/ogb/data/nodeproppred/products.zip",
    licence: "Amazon licence",
  },
  {
    name: "amazon-computers",
    title: "Amazon Computers in the layout of ogbn-products, O. Shchur et al. 2018, arXiv:1811.05868",
    folders: ["amazon_computers"],
    files: [
      {
        name: "mapping/labelidx2productcategory.csv",
        bytes: 167,
        sha256: "7105f81f5e223d4b47bdff3750cfbe5d33485a576895ccd9a649bdc5b8caf699",
      },
      {
        name: "raw/edge.csv",
        bytes: 2_549_673,
        sha256: "418740999b16da9fdc718c567f811f4b1c6033464b4ead1e29ab6971f48b41d9",
      },
      {
        name: "raw/node-feat.csv",
        bytes: 13_069_370,
        sha256: "d0a0af7a2388cec2182aa38661d096c98fe9530dd3a7535ecec9b4f8457e9ffa",
      },
      {
        name: "raw/node-label.csv",
        bytes: 27_504,
        sha256: "cf680c13e0d657c4b85c67035a9d27af4b91d11a147e503b0f7980f330182151",
      },
      {
        name: "raw/num-edge-list.csv",
        bytes: 7,
        sha256: "f9745da45c2803596e7868070838038d5e394abb349ddcb3924fd3a457b86cee",
      },
      {
        name: "raw/num-node-list.csv",
        bytes: 6,
        sha256: "aa66808fb3be85f351a402fb75a44973126d126c302e7b3c7940a538b8894695",
      },
      {
        name: "split/random_60_20_20/test.csv",
        bytes: 14_243,
        sha256: "f3518cc12bb0a9d2d5882cbc2e789dd893fe69217df83a69b8187603c091f2af",
      },
      {
        name: "split/random_60_20_20/train.csv",
        bytes: 42_890,
        sha256: "8cc59de6abbf7519479a5b7496f08e8edf10ee77e93a44e11291bcbe07d91b0f",
      },
      {
        name: "split/random_60_20_20/valid.csv",
        bytes: 14_269,
        sha256: "48ab03c75fb062ce1d6fa11a66660653d1804ceca9e5da832f3edb288372fb04",
      },
      {
        name: "split/random_8_2_90/test.csv",
        bytes: 64_230,
        sha256: "7c4536641055ffeacc68957eac86292ef46e5962ba21abada686de4e068ecf92",
      },
      {
        name: "split/random_8_2_90/train.csv",
        bytes: 5_729,
        sha256: "49bda27eb575982dbd81cd8f558a779a5bac0b6ad3366af8808bb018361712ed",
      },
      {
        name: "split/random_8_2_90/valid.csv",
        bytes: 1_443,
        sha256: "39be31d0fba3db2382164035a425781f5a9021cbfffdb599871a258538f86a25",
      },
    ],
    address: "https://github.com/shchur/gnn-benchmark",
    licence: "MIT for the collection, none stated for the data beneath",
  },
  {
    name: "cora",
    title: "Cora, A. McCallum et al. 2000 and P. Sen et al. 2008, as in the Python package graphdatascience 2.2",
    folders: ["cora"],
    files: [
      {
        name: "mapping/labelidx2productcategory.csv",
        bytes: 153,
        sha256: "34d56111534185c27e0250ae9296fad36de8ed7d06d7575a8aa9b0dd52fd9cc1",
      },
      {
        name: "raw/edge.csv",
        bytes: 47_476,
        sha256: "30113015e984df14883df1c2051aa1fee43169a0c364f6d86b7d6e351a0d04d8",
      },
      {
        name: "raw/node-feat.csv",
        bytes: 7_761_128,
        sha256: "e1d060101e996fa75918d06c745010cd2ce0b6e693d2bf7758ee1e493a5bd6e8",
      },
      {
        name: "raw/node-label.csv",
        bytes: 5_416,
        sha256: "75183ad0f86914e60e11b057acd9354723c59966b87bd5ee457c7270fe1b1ba2",
      },
      {
        name: "raw/num-edge-list.csv",
        bytes: 5,
        sha256: "8578386cef03acfa143970a707809c4079d1dbbd6f06c308228e111f128e4dc4",
      },
      {
        name: "raw/num-node-list.csv",
        bytes: 5,
        sha256: "0fad9df8359fdaa709b729e288299bf29449a57e834743908aa5a6267e07fce7",
      },
    ],
    address: "https://pypi.org/project/graphdatascience/2.2/",
    licence: "Apache-2.0",
    shipped: fileURLToPath(new URL("../../data/cora", import.meta.url)),
  },
];

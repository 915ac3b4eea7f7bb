// A module of its own, of text alone, so that it is packed in bundles.

/**
 * Given names and what people are called for short, a group a line. After P. Hanks, K. Hardcastle, F. Hodges, "A Dictionary of First Names" (Oxford
 * University Press), as far as they are common in records; a name may be in several groups.
 */
export const nicknameGroups = `
albert al bert bertie
alexander alex al sandy sasha alejandro
alexandra alex sandra sasha lexi alexa
alfred alf fred alfie
andrew andy drew
anne ann anna annie nancy hannah
anthony tony antonio toni
barbara barb barbie babs
benjamin ben benny benji
catherine katherine kathryn cathy kathy kate katie kat kitty kay
charles charlie chuck chas carlos
christina christine chris tina christy chrissy kristina kristin
christopher chris kit topher
daniel dan danny
david dave davy
deborah debra deb debbie
dorothy dot dottie dolly
edward ed eddie ned ted teddy eduardo
eleanor ellie nell nora lenore
elizabeth liz lizzie beth betty bess eliza elise libby lisa isabel elisabeth
emily em emmy
ernest ernie
eugene gene
florence flo flossie
frances fran frannie francesca
francis frank fran francisco paco pancho
franklin frank
frederick fred freddie fritz
gerald jerry gerry
gregory greg
harold harry hal
helen nell ellen lena
henry harry hank hal heinrich
howard howie
isabella bella izzy
jacob jake
james jim jimmy jamie jaime
janet jan
jeffrey geoffrey jeff geoff
jennifer jen jenny
jessica jess jessie
john jack johnny jon juan hans
jonathan jon jonny
joseph joe joey jose pepe josef
josephine jo josie
joshua josh
judith judy
katherine kate
kenneth ken kenny
kimberly kim
lawrence laurence larry laurie
leonard len lenny leo
louis lou louie lewis luis
louise lou
lucille lucy
margaret maggie meg peggy peg marge margie rita greta maisie daisy
martha marty patty
martin marty
mary molly polly mamie maria marie
matthew matt
michael mike mick mickey miguel
nathaniel nathan nate nat
nicholas nick nicky nicolas
pamela pam
patricia pat patty trish tricia
patrick pat paddy rick
peter pete pedro
philip phil pip phillip
rachel rae
raymond ray
rebecca becky becca
richard rick ricky dick rich richie ricardo
robert bob bobby rob robbie bert roberto
roger rodge
ronald ron ronnie
rosemary rose rosie
russell russ
samantha sam sammy
samuel sam sammy
sandra sandy
sarah sara sally sadie
sharon shari
stephanie steph
stephen steven steve stevie esteban
susan sue susie suzanne susanna
theodore ted teddy theo
theresa teresa terry tess tessa
thomas tom tommy tomas
timothy tim timmy
valerie val
victoria vicky tori
vincent vince vinny
virginia ginny ginger
walter walt wally
william bill billy will willie liam wilhelm guillermo
zachary zach zack
`;
